"""Byte streams of WebSocket clients, lawful and not, and what ours and other implementations make of them."""

import itertools
from typing import NamedTuple

import wsproto.events
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State
from wsproto.connection import Connection, ConnectionState, ConnectionType

from seatcast.gateway.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frames, Violation
from seatcast.gateway.messages import Assembler, Bounds, Kind

from ..client_frames import KEY, masked

LIMIT = 2**20


class Read(NamedTuple):
    """What was read: messages as (kind, bytes), at most one "close" at the end; and the code of a refusal."""

    messages: list
    code: int | None = None


# What they make of it


def ours(data, sizes=(), bounds=None):
    """Given in pieces of these sizes, and the rest."""
    bounds = bounds or Bounds(max_bytes=LIMIT, max_fragments=2**62, binary=True)
    frames, assembler = Frames(bounds.max_bytes), Assembler(bounds)
    messages = []
    try:
        for size in [*sizes, len(data)]:
            frames.feed(data[:size])
            data = data[size:]
            while (frame := frames.next()) is not None:
                if (message := assembler.receive(frame)) is None:
                    continue
                if message.kind is Kind.CLOSE:
                    return Read([*messages, ("close", message.code, message.data)])
                messages.append((message.kind.name.lower(), message.data))
    except Violation as violation:
        return Read(messages, violation.code)
    return Read(messages)


def of_websockets(data, side=Side.SERVER):
    """`websockets`, which leaves it to its caller to put messages together."""
    protocol = Protocol(side, state=State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    messages, parts, kind = [], b"", ""
    for frame in protocol.events_received():
        payload = bytes(frame.data)
        if frame.opcode is Opcode.CLOSE:
            code = protocol.close_rcvd.code
            reason = protocol.close_rcvd.reason.encode()
            return Read([*messages, ("close", 1000 if code == 1005 else int(code), reason)])
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            messages.append((frame.opcode.name.lower(), payload))
            continue
        if frame.opcode is not Opcode.CONT:
            parts, kind = b"", frame.opcode.name.lower()
        parts += payload
        if frame.fin:
            if kind == "text" and not is_utf8(parts):
                return Read(messages, 1007)
            messages.append((kind, parts))
    return Read(messages, int(protocol.close_sent.code) if protocol.close_sent else None)


def of_wsproto(data, kind=ConnectionType.SERVER):
    connection = Connection(kind)
    connection.receive_data(data)
    messages, parts = [], b""
    for event in connection.events():
        match event:
            case wsproto.events.Message():
                parts += event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                if event.message_finished:
                    text = isinstance(event, wsproto.events.TextMessage)
                    messages.append(("text" if text else "binary", parts))
                    parts = b""
            case wsproto.events.Ping():
                messages.append(("ping", bytes(event.payload)))
            case wsproto.events.Pong():
                messages.append(("pong", bytes(event.payload)))
            case wsproto.events.CloseConnection() if connection.state is ConnectionState.OPEN:
                return Read(messages, int(event.code))
            case wsproto.events.CloseConnection():
                code = 1000 if event.code == 1005 else int(event.code)
                return Read([*messages, ("close", code, (event.reason or "").encode())])
    return Read(messages)


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# Lawful streams, as steps: (what, payload, fin)

texts = st.text(st.sampled_from("ab\x00é€\U0001f600\ud7ff\ue000\U0010ffff"), max_size=40) | st.text(
    max_size=40
)
long = st.integers(120, 130) | st.integers(65_530, 65_540)
payloads = st.one_of(
    texts.map(lambda text: ("text", text.encode())),
    st.binary(max_size=60).map(lambda data: ("binary", data)),
    long.map(lambda size: ("text", b"x" * size)),
)
controls = st.tuples(st.sampled_from(["ping", "pong"]), st.binary(max_size=125))


@st.composite
def message(draw):
    """One message in fragments, cut anywhere, with control frames between them."""
    kind, payload = draw(payloads)
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
    steps = []
    for place, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(payload)])):
        steps.append((kind if place == 0 else "continuation", payload[start:end], end == len(payload)))
        if place < len(cuts):
            # Only the last fragment ends the message, also where the one before it had the last byte.
            steps[-1] = (*steps[-1][:2], False)
            steps += [(*control, True) for control in draw(st.lists(controls, max_size=1))]
    return (kind, payload), steps


@st.composite
def programs(draw):
    """What a lawful client sends, as steps, and what is to be read of it."""
    steps, messages = [], []
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            (kind, payload), parts = draw(message())
            messages += [step[:2] for step in parts if step[0] in ("ping", "pong")]
            messages.append((kind, payload))
            steps += parts
        else:
            control = draw(controls)
            messages.append(control)
            steps.append((*control, True))
    return steps, messages


chunks = st.lists(st.integers(1, 200), max_size=20)

OPCODES = {
    "text": TEXT, "binary": BINARY, "continuation": CONTINUATION, "ping": PING, "pong": PONG, "close": CLOSE,
}  # fmt: skip


def written_by_ours(steps, key=KEY):
    return b"".join(masked(OPCODES[what], payload, fin, key=key) for what, payload, fin in steps)


def written_by_websockets(steps):
    protocol = Protocol(Side.CLIENT, state=State.OPEN)
    for what, payload, fin in steps:
        if what in ("ping", "pong"):
            getattr(protocol, f"send_{what}")(payload)
        else:
            getattr(protocol, f"send_{what}")(payload, fin)
    return b"".join(protocol.data_to_send())


def written_by_wsproto(steps):
    """Its text is cut between characters, so messages are first put together and cut in the middle."""
    connection = Connection(ConnectionType.CLIENT)
    data, kind, parts = b"", "", b""
    for what, payload, fin in steps:
        if what == "ping":
            data += connection.send(wsproto.events.Ping(payload=payload))
        elif what == "pong":
            data += connection.send(wsproto.events.Pong(payload=payload))
        else:
            kind, parts = (kind, parts + payload) if what == "continuation" else (what, payload)
            if fin:
                whole = parts.decode() if kind == "text" else parts
                event = wsproto.events.TextMessage if kind == "text" else wsproto.events.BytesMessage
                middle = len(whole) // 2
                data += connection.send(event(data=whole[:middle], message_finished=False))
                data += connection.send(event(data=whole[middle:], message_finished=True))
    return data


# Streams that may be unlawful: frames of any kind, then bytes changed

wild_frames = st.builds(
    masked,
    st.sampled_from([TEXT, TEXT, CONTINUATION, BINARY, PING, PONG, CLOSE]) | st.integers(0, 15),
    texts.map(str.encode) | st.binary(max_size=130),
    st.sampled_from([True, True, False]),
    st.sampled_from([0, 0, 0, 0, 1, 2, 4]),
)
closes = st.builds(
    lambda code, reason: masked(CLOSE, code.to_bytes(2, "big") + reason),
    st.sampled_from([0, 999, 1000, 1004, 1005, 1006, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 5000]),
    texts.map(lambda text: text.encode()[:100]),
)
change = st.tuples(
    st.sampled_from(["flip", "drop", "add", "cut"]), st.integers(0, 2_000), st.integers(0, 255)
)


@st.composite
def wild_streams(draw):
    parts = draw(
        st.lists(
            programs().map(lambda one: written_by_ours(one[0])) | wild_frames | closes, min_size=1, max_size=4
        )
    )
    data = bytearray(b"".join(parts))
    for how, at, value in draw(st.lists(change, max_size=2)):
        at %= len(data) or 1
        if how == "flip" and data:
            data[at] ^= 1 << value % 8
        elif how == "drop":
            del data[at : at + 1]
        elif how == "add":
            data.insert(at, value)
        else:
            del data[at:]
    return bytes(data)
