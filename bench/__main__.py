"""`python -m bench [NAME ...] [--quick]`: run them and print the tables.

Needs PostgreSQL and RabbitMQ on their standard local ports and root for RabbitMQ's virtual hosts; the gateway's
measurements start a RabbitMQ of their own and need gcc. Exit status 1: a seat is not accounted for or a target was
missed; 2: a stack did not run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import sys
from contextlib import AsyncExitStack

import uvloop

from bench import (
    booking_latency,
    booking_throughput,
    broadcasters,
    connections,
    fanout,
    herd,
    idle,
    python_peers,
    race,
    saturation,
    slow,
    stacks,
    tables,
)
from bench.parts import StackFailed
from bench.quiet import Stolen, ahead_of_others, on
from bench.rabbit import private_rabbit

_BOOKINGS = ("latency", "throughput", "race")
_GATEWAY = ("fanout", "saturation", "memory", "handshakes", "herd", "slow", "idle")
_ALL = (*_BOOKINGS, *_GATEWAY)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Seatcast beside its peers, measured here."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(_ALL)} (default: all)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round of each: shows that it works, not how fast"
    )
    parser.add_argument(
        "--rounds", type=int, default=None, help="rounds (default: 5, some eight minutes; quick: 1)"
    )
    parser.add_argument(
        "--peers", action="store_true", help="fanout and saturation: every peer, not the tuned ones alone"
    )
    parser.add_argument("--long", action="store_true", help="idle: five minutes, not half a minute")
    options = parser.parse_args()
    if unknown := set(options.names) - set(_ALL):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.names = options.names or list(_ALL)
    options.rounds = max(1, min(20, options.rounds or (1 if options.quick else 5)))
    return options


async def _bookings(options: argparse.Namespace) -> bool:
    good = True
    async with AsyncExitStack() as opened:
        plain = await opened.enter_async_context(stacks.node("sequelize"))
        lean = await opened.enter_async_context(stacks.node("pg"))
        ours = await opened.enter_async_context(stacks.seatcast_distributed())
        embedded = await opened.enter_async_context(stacks.seatcast_embedded())
        if "latency" in options.names:
            samples = 100 if options.quick else 200
            peers = [plain, lean, ours, embedded]
            good &= await booking_latency.measure(peers, rounds=options.rounds, samples=samples)
        if "throughput" in options.names:
            seconds = 2.0 if options.quick else 5.0
            good &= await booking_throughput.measure(
                [plain, lean, ours], rounds=options.rounds, seconds=seconds
            )
        if "race" in options.names:
            good &= await race.measure([plain, lean, ours, embedded], rounds=min(3, options.rounds))
    return good


async def _gateway(options: argparse.Namespace) -> bool:
    good = True
    seconds, peers = (1.0, False) if options.quick else (2.0, options.peers)
    async with private_rabbit(on(broadcasters.CLIENT_CORE)) as rabbit:
        if "fanout" in options.names:
            for clients in (1_000, 5_000):
                good &= await fanout.measure(
                    rabbit, clients=clients, rounds=options.rounds, seconds=seconds, all_peers=peers
                )
        if "saturation" in options.names:
            good &= await saturation.measure(
                rabbit, rounds=min(3, options.rounds), seconds=seconds, all_peers=peers
            )
        if "memory" in options.names:
            good &= await connections.memory(rabbit)
        if "handshakes" in options.names:
            good &= await connections.handshakes(rabbit, rounds=min(3, options.rounds))
        if "herd" in options.names:
            good &= await herd.measure(rabbit, rounds=min(3, options.rounds))
        if "slow" in options.names:
            good &= await slow.measure(
                rabbit, windows=3 if options.quick else 12, seconds=seconds if options.quick else 5.0
            )
        if "idle" in options.names:
            lasting = 300.0 if options.long else 10.0 if options.quick else 30.0
            good &= await idle.measure(rabbit, seconds=lasting, share=0.25 if options.quick else 1.0)
    return good


async def _run(options: argparse.Namespace) -> bool:
    task = asyncio.current_task()
    assert task is not None
    # Ended politely or not, what was started and made is taken away again.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    for line in tables.conditions():
        print(line, flush=True)
    good = True
    stolen = Stolen()
    if set(options.names) & set(_BOOKINGS):
        good &= await _bookings(options)
    if set(options.names) & set(_GATEWAY):
        good &= await _gateway(options)
    print(stolen)
    return good


def main() -> int:
    """Run what was asked for; return the exit status."""
    options = _options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stacks.install_node_packages()
    if options.peers:
        python_peers.install()
    try:
        with ahead_of_others():
            return 0 if uvloop.run(_run(options)) else 1
    except (asyncio.CancelledError, KeyboardInterrupt):
        print("bench: ended early", file=sys.stderr)
        return 130
    except (StackFailed, OSError, TimeoutError) as error:
        print(f"bench: {str(error) or repr(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
