"""Who runs beside whom."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from bench import broadcasters
from bench.broadcasters import Broadcaster
from bench.rabbit import Rabbit


def everybody(
    rabbit: Rabbit, tours: int, *, all_peers: bool
) -> Sequence[AbstractAsyncContextManager[Broadcaster]]:
    """Return the floor, ours, and the peers: the tuned ones alone, or all."""
    tuned = [
        broadcasters.floor(tours),
        broadcasters.seatcast(rabbit, tours),
        broadcasters.node_over_amqp(rabbit, tours),
        broadcasters.node("ws tuned", "ws-tuned.js", tours),
    ]
    if not all_peers:
        return tuned
    return [
        *tuned,
        broadcasters.node("ws, as usual", "ws-plain.js", tours),
        broadcasters.node("Socket.IO", "socketio.js", tours, socketio=1),
        broadcasters.python("websockets.broadcast", "broadcast.py", tours),
        broadcasters.python("FastAPI", "connection_manager.py", tours),
    ]
