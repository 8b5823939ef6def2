"""How long to wait before trying again: longer after each failure, and never as long as others who failed together."""

from __future__ import annotations

import asyncio
import random
from typing import Final

FIRST_SECONDS: Final = 0.1

LONGEST_SECONDS: Final = 5.0


def ceiling(failures: int, longest: float = LONGEST_SECONDS) -> float:
    """Return the most seconds to wait after so many failures in a row: twice as many after each, up to `longest`."""
    return min(longest, FIRST_SECONDS * 2.0 ** min(failures, 10))


async def full_jitter(failures: int) -> None:
    """Wait for anything from nothing to the ceiling: who lost something together does not come back together."""
    await asyncio.sleep(random.SystemRandom().uniform(0, ceiling(failures)))
