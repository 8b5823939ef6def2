"""Everything at once on two gateways, and what becomes of it when a part of it dies: nothing stored is lost, and nothing
is shown twice. The clients are stock ones: `ws`, `yjs` with `y-websocket`, and Chromium's own WebSocket.
"""

from __future__ import annotations

import asyncio

import httpx
import pytest
from playwright.async_api import Page

from seatcast.tokens import Tokens

from .conftest import SECRET, World
from .test_documents import Writer, description

COUNT = 40
PAUSE_MS = 100

# What a page does by itself, without our library: it comes back, with the last message that it was told.
FOLLOW = """([url, token]) => {
    window.frames = [];
    let last;
    const connect = () => {
        const since = last === undefined ? "" : `&since=${last}`;
        window.socket = new WebSocket(`${url}?tours=&token=${token}${since}`);
        window.socket.onmessage = ({ data }) => {
            const frame = JSON.parse(data);
            window.frames.push(frame);
            last = frame.messageId ?? last;
        };
        window.socket.onclose = () => setTimeout(connect, 200);
    };
    connect();
}"""


def token(user: str, *roles: str) -> str:
    return Tokens(SECRET).mint(user, list(roles), 3_600)


class Stage:
    """Two gateways, a tour service, a broker, and everybody who takes part."""

    def __init__(self, world: World, database: str, rabbit) -> None:
        self.world = world
        self.database = database
        self.rabbit = rabbit
        self.api_port = world.free_port()
        self.tours, self.api = world.tours(database, rabbit.url, self.api_port)
        self.ports = [(world.free_port(), world.free_port()) for _ in range(2)]
        self.gateways = [self._gateway(number) for number in range(2)]
        self.urls = [f"ws://127.0.0.1:{port}/" for port, _ in self.ports]

    def _gateway(self, number: int):
        port, http_port = self.ports[number]
        running = self.world.seatcast(
            "gateway", "--port", str(port), "--http-port", str(http_port), "--broker-url", self.rabbit.url,
            "--tours-url", f"http://127.0.0.1:{self.api_port}", "--messages-per-minute", "2000",
        )  # fmt: skip
        running.line("Gateway is listening")
        return running

    def die_and_return(self, victim: str) -> None:
        """Kill a part without warning, and start it again; returns when it is back."""
        if victim == "broker":
            self.rabbit.kill()
            self.rabbit.start()
        elif victim == "tour service":
            self.tours.kill()
            self.tours, _ = self.world.tours(self.database, self.rabbit.url, self.api_port)
        else:
            number = ("first gateway", "second gateway").index(victim)
            self.gateways[number].kill()
            self.gateways[number] = self._gateway(number)

    def converse(self, user: str, to: str, *roles: str, first: int, count: int = COUNT):
        """Start a client that holds a conversation, on one gateway and then the other."""
        urls = ",".join([self.urls[first], self.urls[1 - first]])
        more = ["support"] if roles else []
        return self.world.node(
            "converse.mjs", urls, token(user, *roles), to, str(count), str(PAUSE_MS), *more
        )

    def history(self, conversation: str) -> list[str]:
        """Return the ids of all that was said, as the tour service has it."""
        answer = self.api.get(
            f"/api/conversations/{conversation}/messages?limit=500",
            headers={"Authorization": f"Bearer {token('olga', 'support')}"},
        )
        answer.raise_for_status()
        return [message["messageId"] for message in answer.json()["messages"]]


def shown(frames: list[dict], conversation: str) -> list[str]:
    """Return the ids of what was said, in the order in which a client was told it.

    Whoever asks again, since no answer came, is told again what is stored: that answers, and is not news.
    """
    told = [f for f in frames if f["type"] == "CHAT_MESSAGE" and f["conversationId"] == conversation]
    answers = [n for n, frame in enumerate(told) if "id" in frame and frame in told[:n]]
    return [frame["messageId"] for n, frame in enumerate(told) if n not in answers]


def done(client) -> bool:
    return any(frame["type"] == "DONE" for frame in client.printed())


async def book(api: httpx.Client, user: str) -> str:
    """Book a seat, again with the same key until there is an answer."""
    headers = {"Authorization": f"Bearer {token(user)}", "Idempotency-Key": f"{user}-{book.number}"}
    book.number += 1
    while True:
        try:
            answer = api.post("/api/tours/tour_metz/book", json={"seatsToBook": 1}, headers=headers)
            if answer.status_code == 200:
                return answer.json()["booking"]["id"]
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.2)


book.number = 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victim", ["first gateway", "second gateway", "tour service", "broker"])
async def test_whoever_dies_everybody_ends_on_the_same_and_sees_it_once(
    world,
    postgres_url,
    private_rabbitmq,
    create_tour,
    eventually,
    browser,
    victim,
):
    stage = await asyncio.to_thread(Stage, world, postgres_url, private_rabbitmq)
    create_tour(stage.api, "tour_metz", 1_000)
    listening = stage.converse("omar", "nobody", "support", first=0, count=0)
    await eventually(lambda: any(f["type"] == "SUBSCRIBED" for f in listening.printed()))
    ana = stage.converse("ana", "support", first=0)
    await eventually(lambda: len(shown(listening.printed(), "ana")) > 2)
    olga = stage.converse("olga", "ana", "support", first=1)
    page = await (await browser.new_context()).new_page()
    await page.goto(str(stage.api.base_url))
    await page.evaluate(FOLLOW, [stage.urls[1], token("bob")])
    writers = [
        Writer(world, url, name, "tour_metz") for url, name in zip(stage.urls, ("eva", "leo"), strict=True)
    ]
    await eventually(lambda: all(writer.seen["synced"] for writer in writers))
    booked = [await book(stage.api, "bob")]
    await eventually(lambda: confirms(page, booked), timeout=30, every=0.1)
    for number, writer in enumerate(writers):
        writer.do(type=[80, 50, 7 + number])

    dying = asyncio.to_thread(stage.die_and_return, victim)
    booking = asyncio.create_task(_book_many(stage, booked))
    await dying
    await booking

    await eventually(lambda: done(ana) and done(olga), timeout=90, every=0.2)
    said = stage.history("ana")
    assert len(said) == len(set(said)) == 2 * COUNT
    await eventually(lambda: shown(ana.printed(), "ana") == said, timeout=30, every=0.2)
    for agent in (olga, listening):
        # An agent who came later begins with what was said from then on.
        await eventually(lambda agent=agent: shown(agent.printed(), "ana")[-1:] == said[-1:], timeout=30)
        told = shown(agent.printed(), "ana")
        assert told == said[-len(told) :], "in the same order, nothing missing, nothing twice"
    assert shown(listening.printed(), "ana") == said
    await eventually(lambda: confirms(page, booked), timeout=30, every=0.1)
    await eventually(
        lambda: len({writer.text for writer in writers}) == 1 and all(w.seen["allSaved"] for w in writers),
        timeout=60,
        every=0.2,
    )
    await eventually(lambda: description(stage.api, "tour_metz") == writers[0].text, timeout=30)


async def _book_many(stage: Stage, booked: list[str]) -> None:
    for _ in range(15):
        booked.append(await book(stage.api, "bob"))
        await asyncio.sleep(0.3)


async def confirms(page: Page, booked: list[str]) -> bool:
    """Say whether a page was told of just these bookings, each once and in order."""
    frames = await page.evaluate("window.frames")
    told = [frame["bookingId"] for frame in frames if frame["type"] == "BOOKING_CONFIRMED"]
    assert told == booked
    return True
