"""Small servers to learn and to test clients with: `seatcast demo random-numbers` and `seatcast demo tours`.

Both are the real gateway without a database or broker behind it, so a slow client cannot hurt them either.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from seatcast import rest
from seatcast.broker import Broker, Message
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.domain import iso
from seatcast.gateway.app import Gateway, gateway
from seatcast.gateway.channels import NUMBERS
from seatcast.tokens import Tokens
from seatcast.wire import RandomNumber, encode
from seatcast.wire_events import AvailabilityUpdated

_log = structlog.get_logger(__name__)

NUMBER_SECONDS: Final = 3.0
SALE_SECONDS: Final = 5.0


def _now() -> str:
    return iso(datetime.now(UTC))


def _for_any_page(settings: Settings) -> Settings:
    """Let learners open their page from a file or anywhere else, without a token: there is nothing here to protect."""
    origins = settings.allowed_origins or ("*",)
    return msgspec.structs.replace(settings, allowed_origins=origins, auth="optional")


@contextlib.asynccontextmanager
async def random_numbers(settings: Settings, every: float = NUMBER_SECONDS) -> AsyncIterator[int]:
    """Greet each client, then send RANDOM_NUMBER (1 to 100) to everyone `every` seconds; yields the port."""
    async with (
        MemoryBroker() as broker,
        gateway(_for_any_page(settings), broker, None, Tokens(None)) as running,
        asyncio.TaskGroup() as group,
    ):
        running.channels.open(NUMBERS)
        task = group.create_task(_speak(running.broadcast, every), name="random numbers")
        _log.info("Demo of random numbers is listening", host=settings.host, port=running.port)
        yield running.port
        task.cancel()


@contextlib.asynccontextmanager
async def numbers(running: Gateway, every: float = NUMBER_SECONDS) -> AsyncIterator[None]:
    """Have the channel `random-numbers` inside the context, for whoever asks for it."""

    def publish(number: RandomNumber) -> None:
        running.channels.publish(NUMBERS, number, "number")

    running.channels.open(NUMBERS)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_speak(publish, every), name="random numbers")
        yield
        task.cancel()


async def _speak(say: Callable[[RandomNumber], None], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        say(RandomNumber(random.randint(1, 100), _now()))  # noqa: S311 - a demo, no secret


@dataclass(slots=True)
class ThreeTours:
    """Three tours in memory that only ever lose seats. Their versions are real, so clients may reconnect freely."""

    chance: random.Random = field(default_factory=random.Random)
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    tours: dict[str, rest.Tour] = field(
        default_factory=lambda: {
            tour_id: rest.Tour(
                id=tour_id,
                name=name,
                available_seats=seats,
                capacity=seats,
                held=0,
                version=1,
                timestamp=_now(),
            )
            for tour_id, name, seats in (
                ("tour_paris", "Paris City Tour", 20),
                ("tour_london", "London Eye Experience", 15),
                ("tour_rome", "Rome Colosseum Tour", 25),
            )
        }
    )

    async def snapshot(self) -> rest.Snapshot:
        """Return all three as a gateway reads them."""
        return rest.Snapshot(self.epoch, list(self.tours.values()))

    def sell(self) -> AvailabilityUpdated | None:
        """Take one to three seats of a tour that has some left, never more than it has; None when all are sold out."""
        open_ones = [tour for tour in self.tours.values() if tour.available_seats]
        if not open_ones:
            return None
        tour = self.chance.choice(open_ones)
        left = max(0, tour.available_seats - self.chance.randint(1, 3))
        version = (tour.version or 0) + 1
        now = _now()
        self.tours[tour.id] = rest.Tour(
            id=tour.id, name=tour.name, available_seats=left, capacity=tour.capacity, held=0,
            version=version, timestamp=now,
        )  # fmt: skip
        return AvailabilityUpdated(
            event_id=secrets.token_hex(8), tour_id=tour.id, tour_name=tour.name, available_seats=left,
            capacity=tour.capacity, held=0, version=version, epoch=self.epoch, timestamp=now,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def three_tours(settings: Settings, every: float = SALE_SECONDS) -> AsyncIterator[int]:
    """Serve three tours, one of which loses one to three seats `every` seconds; yields the port."""
    shop = ThreeTours()
    async with (
        MemoryBroker() as broker,
        gateway(_for_any_page(settings), broker, shop.snapshot, Tokens(None)) as running,
        asyncio.TaskGroup() as group,
    ):
        task = group.create_task(_sell(shop, broker, every), name="sales")
        _log.info("Demo of three tours is listening", host=settings.host, port=running.port)
        yield running.port
        task.cancel()


async def _sell(shop: ThreeTours, broker: Broker, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        event = shop.sell()
        if event is None:
            _log.info("Every tour is sold out: start the demo again for new ones")
            return
        await broker.publish([Message("tour.availability.updated", encode(event), event_id=event.event_id)])
