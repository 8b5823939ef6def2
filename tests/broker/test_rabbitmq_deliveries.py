"""Deliveries taken out of the server's byte stream; pamqp, which aiormq reads with, is the other opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.body import ContentBody
from pamqp.frame import marshal
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from seatcast.broker import Delivery
from seatcast.broker.rabbitmq_deliveries import HEARTBEAT, Deliveries

HEADERS = st.none() | st.dictionaries(
    st.sampled_from(["traceparent", "x", "traceparent2"]),
    st.text(max_size=20) | st.integers(0, 9),
    max_size=3,
)
PROPERTIES = st.builds(
    commands.Basic.Properties,
    content_type=st.none() | st.just("application/json"),
    content_encoding=st.none() | st.just("gzip"),
    headers=HEADERS,
    delivery_mode=st.none() | st.just(2),
    message_id=st.none() | st.text(max_size=20),
)


def delivered(tag, body, *, consumer="ours", key="tour.closed", properties=None, channel=1, part=100):
    frames = [
        commands.Basic.Deliver(consumer, tag, False, "tour_booking_events", key),
        ContentHeader(0, len(body), properties or commands.Basic.Properties()),
        *(ContentBody(body[at : at + part]) for at in range(0, len(body), part)),
    ]
    return b"".join(marshal(frame, channel) for frame in frames)


def reader(clock=lambda: 0.0):
    got = []
    deliveries = Deliveries(lambda tag, delivery: got.append((tag, delivery)), clock)
    deliveries.take("ours")
    return deliveries, got


@st.composite
def streams(draw):
    """A stream of deliveries of ours and of everything else, its parts, and where it is cut."""
    ours, others, stream = [], [], b""
    for tag in range(draw(st.integers(1, 8))):
        body, properties = draw(st.binary(max_size=350)), draw(PROPERTIES)
        kind = draw(st.sampled_from(["ours", "theirs", "ack", "heartbeat"]))
        if kind == "ours":
            trace = (properties.headers or {}).get("traceparent")
            ours.append((tag, Delivery("tour.closed", body, trace if isinstance(trace, str) else None)))
            stream += delivered(tag, body, properties=properties)
            continue
        other = {
            "theirs": delivered(tag, body, consumer="overflow", properties=properties),
            "ack": marshal(commands.Basic.Ack(tag, True), 1),
            "heartbeat": marshal(Heartbeat(), 0),
        }[kind]
        others.append(other)
        stream += other
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    return ours, b"".join(others), pieces


@given(streams())
def test_ours_are_taken_and_everything_else_passes_however_it_arrives(drawn):
    ours, others, pieces = drawn
    deliveries, got = reader()

    passed = b"".join(deliveries.receive(piece) for piece in pieces)

    assert got == ours
    assert passed == others


def test_frames_of_other_channels_come_between_those_of_a_delivery():
    deliveries, got = reader()
    whole = delivered(7, b"x" * 250, part=100)
    ack = marshal(commands.Basic.Ack(3, False), 2)
    theirs = delivered(1, b"theirs", consumer="other", channel=2)
    first = whole.index(b"x" * 100) + 101

    assert deliveries.receive(whole[:first] + ack + theirs) == ack + theirs
    assert deliveries.receive(whole[first:]) == b""
    assert got == [(7, Delivery("tour.closed", b"x" * 250))]


def test_a_cancelled_consumer_is_aiormqs_business():
    deliveries, got = reader()
    cancel = marshal(commands.Basic.Cancel("ours", True), 1)

    assert deliveries.receive(cancel) == cancel
    assert got == []


def test_before_the_consumer_has_a_name_everything_passes():
    got = []
    deliveries = Deliveries(lambda *delivery: got.append(delivery), lambda: 0.0)

    assert deliveries.receive(delivered(1, b"{}")) == delivered(1, b"{}")
    assert got == []


@pytest.mark.parametrize(
    "garbage", [b"AMQP\x00\x00\x09\x01", b"HTTP/1.1 400 Bad Request\r\n", bytes(7) + b"\x01"]
)
def test_what_is_not_amqp_passes_as_it_is_for_whoever_reports_it(garbage):
    deliveries, got = reader()

    assert deliveries.receive(garbage) == garbage
    assert deliveries.receive(delivered(1, b"{}")) == delivered(1, b"{}")
    assert got == []


def test_while_deliveries_come_the_connection_is_seen_to_live():
    """RabbitMQ sends no heartbeat while it sends anything else."""
    clock = iter((100.0, 100.5, 101.0, 101.5, 102.0, 102.9, 103.1))
    deliveries, _ = reader(lambda: next(clock))
    ack, mine = marshal(commands.Basic.Ack(1, False), 1), delivered(1, b"{}")

    passed = [deliveries.receive(piece) for piece in (mine, mine, mine, mine, mine, ack, mine)]

    assert passed == [HEARTBEAT, b"", HEARTBEAT, b"", HEARTBEAT, ack, b""]
    assert marshal(Heartbeat(), 0) == HEARTBEAT
