"""Facts as every peer makes them: numbered, due at a fixed rate on the monotonic clock.

Which ones is told on standard input: `go FIRST COUNT START_US RATE`.
"""

import asyncio
import os
import time
from datetime import UTC, datetime


def fact(n, tours):
    """Return fact `n`, about one of so many tours."""
    tour = n % tours
    return {
        "type": "AVAILABILITY_UPDATE",
        "tourId": f"t{tour:05d}",
        "availableSeats": n % 1000,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "tourName": f"Tour {tour}",
        "capacity": 1000,
        "held": 0,
        "version": n,
    }


async def facts(tours):
    """Yield each fact when it is due, for ever."""
    told = asyncio.Queue()
    asyncio.get_running_loop().add_reader(0, lambda: told.put_nowait(os.read(0, 4096)))
    while line := await told.get():
        _, first, count, start, rate = line.split()
        first, count, start, rate = int(first), int(count), int(start) / 1e6, float(rate)
        for n in range(first, first + count):
            early = start + (n - first) / rate - time.monotonic()
            if early > 0.0005:  # uvloop rounds less to nothing, and would spin
                await asyncio.sleep(early)
            yield fact(n, tours)
    raise SystemExit
