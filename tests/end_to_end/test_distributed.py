"""Tour service, RabbitMQ and gateways as separate processes, and what happens when one of them dies."""

from __future__ import annotations

import json

from seatcast import wire_events


def _seats(running, tour_id):
    """Return every seat count of a tour that a follower was sent, in order."""
    kinds = ("INITIAL_STATE", "AVAILABILITY_UPDATE")
    return [f["availableSeats"] for f in running.printed() if f["type"] in kinds and f["tourId"] == tour_id]


def _last(running, tour_id):
    return (_seats(running, tour_id) or [None])[-1]


async def test_two_gateways_both_get_every_event_and_stock_clients_see_them(
    world, postgres_url, amqp_url, create_tour, book, eventually
):
    """Each gateway has a queue of its own: a stock `ws` client on either sees every change, in order."""
    _, api = world.tours(postgres_url, amqp_url)
    create_tour(api, "tour_lyon", 30)
    followers = [world.node("follow.mjs", world.gateway(amqp_url, api)[1]) for _ in range(2)]
    await eventually(lambda: all(_last(f, "tour_lyon") == 30 for f in followers))

    for left in range(29, 9, -1):
        assert book(api, "tour_lyon")["tour"]["availableSeats"] == left
        await eventually(lambda left=left: all(_last(f, "tour_lyon") == left for f in followers))

    for follower in followers:
        assert _seats(follower, "tour_lyon") == list(range(30, 9, -1))
        assert follower.printed()[0]["type"] == "WELCOME"


async def test_a_stock_consumer_gets_the_events_of_bookings(
    world, postgres_url, amqp_url, create_tour, book, eventually
):
    """The exchange, key and fields are those that programs beside Seatcast rely on."""
    _, api = world.tours(postgres_url, amqp_url)
    consumer = world.node("consume.mjs", amqp_url)
    await eventually(lambda: "consuming" in consumer.out.read_text())
    create_tour(api, "tour_nice", 5)

    book(api, "tour_nice", 2)

    found = await eventually(lambda: [e for e in consumer.printed() if e["tourId"] == "tour_nice"][1:])
    assert found[0]["eventType"] == "tour.availability.updated"
    assert (found[0]["availableSeats"], found[0]["version"]) == (3, 2)
    assert found[0]["eventId"]
    assert found[0]["timestamp"].endswith("Z")


async def test_a_stock_publisher_without_versions_reaches_the_screens(world, amqp_url, eventually):
    """A gateway alone, no snapshot source: it starts from events, and a body that is none of them is put aside."""
    gateway, url = world.gateway(amqp_url, None)
    follower = world.node("follow.mjs", url)
    await eventually(lambda: follower.printed())

    for seats, raw in ((8, ()), (9, ("not JSON at all",)), (7, ())):
        assert world.node("publish.mjs", amqp_url, "tour_123", str(seats), *raw).process.wait(30) == 0

    await eventually(lambda: _last(follower, "tour_123") == 7)
    assert _seats(follower, "tour_123") == [8, 7]
    assert gateway.process.poll() is None


async def test_a_foreign_tour_service_and_its_publisher_are_served(world, amqp_url, free_port, eventually):
    """A service that knows only ids, names and seats: its list is the start, its events the rest."""
    port = free_port()
    serving = (
        "import http.server, json\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        ok = self.path == '/api/tours'\n"
        "        body = json.dumps([{'id': 'tour_123', 'name': 'Elsewhere', 'available_seats': 15}]).encode()\n"
        "        self.send_response(200 if ok else 404); self.end_headers(); self.wfile.write(body if ok else b'')\n"
        f"http.server.ThreadingHTTPServer(('127.0.0.1', {port}), H).serve_forever()\n"
    )
    world.run("python3", "-c", serving)
    arguments = ["--port", str(free_port()), "--http-port", str(free_port()), "--broker-url", amqp_url]
    gateway = world.seatcast("gateway", *arguments, "--tours-url", f"http://127.0.0.1:{port}")
    gateway.line("Gateway is listening")
    follower = world.node("follow.mjs", f"ws://127.0.0.1:{arguments[1]}")
    await eventually(lambda: _last(follower, "tour_123") == 15)

    world.node("publish.mjs", amqp_url, "tour_123", "8").process.wait(30)

    await eventually(lambda: _last(follower, "tour_123") == 8)
    versions = [f["version"] for f in follower.printed() if f.get("tourId") == "tour_123"]
    assert versions == sorted(set(versions))


async def test_an_event_committed_before_a_kill_is_published_after_it(
    world, postgres_url, private_rabbitmq, create_tour, book, eventually
):
    """kill -9 of the tour service between commit and publish: the outbox still has the event."""
    tours, api = world.tours(postgres_url, private_rabbitmq.url)
    create_tour(api, "tour_nantes", 10)
    _, url = world.gateway(private_rabbitmq.url, None)
    follower = world.node("follow.mjs", url)
    await eventually(lambda: follower.printed())
    private_rabbitmq.kill()
    assert book(api, "tour_nantes", 4)["tour"]["availableSeats"] == 6, "bookings need no broker"

    tours.kill()
    private_rabbitmq.start()
    # The gateway has no snapshot source here, so the number can only come as that event: it must be listening.
    await eventually(
        lambda: wire_events.QUEUE_PREFIX in private_rabbitmq.ctl("list_queues", "name"), timeout=40
    )
    world.tours(postgres_url, private_rabbitmq.url)

    await eventually(lambda: _last(follower, "tour_nantes") == 6, timeout=40)


async def test_a_broker_restart_under_a_running_gateway_loses_no_client(
    world, postgres_url, private_rabbitmq, create_tour, book, eventually
):
    """kill -9 of RabbitMQ and its return, with bookings before, during and after: clients end on the truth."""
    _, api = world.tours(postgres_url, private_rabbitmq.url)
    create_tour(api, "tour_lille", 50)
    gateway, url = world.gateway(private_rabbitmq.url, api)
    follower = world.node("follow.mjs", url)
    book(api, "tour_lille")
    await eventually(lambda: _last(follower, "tour_lille") == 49)

    private_rabbitmq.kill()
    for _ in range(5):
        book(api, "tour_lille")
    # Snapshots are read while the broker is away, so screens are right even now, and say that they are not live.
    await eventually(lambda: _last(follower, "tour_lille") == 44, timeout=20)
    await eventually(lambda: any(f["type"] == "STALE" for f in follower.printed()), timeout=20)
    private_rabbitmq.start()
    book(api, "tour_lille")

    await eventually(lambda: _last(follower, "tour_lille") == 43, timeout=40)
    await eventually(lambda: follower.printed()[-1]["type"] == "FRESH" or _fresh(follower), timeout=40)
    counts = _seats(follower, "tour_lille")
    assert counts == sorted(counts, reverse=True), "a seat count went back in time"
    assert not any(f["type"] == "CLOSED" for f in follower.printed()), "the gateway lost its client"
    assert gateway.process.poll() is None


def _fresh(follower):
    states = [f["type"] for f in follower.printed() if f["type"] in ("STALE", "FRESH")]
    return bool(states) and states[-1] == "FRESH"


async def test_a_killed_tour_service_makes_screens_stale_and_its_return_fresh(
    world, postgres_url, amqp_url, create_tour, book, eventually
):
    """Without ticks a gateway says so within seconds; numbers stay, and are right again at once afterwards."""
    tours, api = world.tours(postgres_url, amqp_url)
    create_tour(api, "tour_brest", 12)
    _, url = world.gateway(amqp_url, api)
    follower = world.node("follow.mjs", url)
    await eventually(lambda: _last(follower, "tour_brest") == 12)

    tours.kill()
    await eventually(lambda: any(f["type"] == "STALE" for f in follower.printed()), timeout=15)
    world.tours(postgres_url, amqp_url, port=api.base_url.port)
    book(api, "tour_brest", 3)

    await eventually(lambda: _last(follower, "tour_brest") == 9 and _fresh(follower), timeout=30)


async def test_publish_and_listen_speak_to_each_other(world, amqp_url, eventually):
    """The two commands that people try first."""
    _, url = world.gateway(amqp_url, None)
    listener = world.seatcast("listen", url)
    await eventually(lambda: listener.printed())

    assert world.seatcast("publish", "tour_456", "3", "--broker-url", amqp_url).process.wait(30) == 0

    await eventually(lambda: _last(listener, "tour_456") == 3)
    assert json.loads(listener.out.read_text().splitlines()[0])["type"] == "WELCOME"
