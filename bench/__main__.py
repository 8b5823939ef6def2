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
    admins,
    booking_latency,
    booking_throughput,
    chat,
    documents,
    gateway,
    outcomes,
    page,
    python_peers,
    race,
    stacks,
    tables,
)
from bench.parts import StackFailed
from bench.quiet import Stolen, ahead_of_others

_BOOKINGS = ("latency", "throughput", "race")
_ALL = (*_BOOKINGS, "chat", "documents", "admins", "page", *gateway.NAMES)


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
        "--rounds", type=int, default=None, help="rounds (default: 3, some twenty minutes for all; quick: 1)"
    )
    parser.add_argument(
        "--tuned", action="store_true", help="fanout and saturation: beside the tuned peers alone"
    )
    parser.add_argument(
        "--long", action="store_true", help="idle: five minutes, not half a minute; documents: ten"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(_ALL):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.names = options.names or list(_ALL)
    options.rounds = max(1, min(20, options.rounds or (1 if options.quick else 3)))
    options.peers = not options.quick and not options.tuned
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
    if "chat" in options.names:
        judged = await chat.measure(rounds=min(3, options.rounds), seconds=5.0 if options.quick else 20.0)
        outcomes.summary(judged)
        good &= all(one.met for one in judged)
    if "documents" in options.names:
        seconds = 600.0 if options.long else 5.0 if options.quick else 20.0
        judged = await documents.measure(
            rounds=1 if options.long else min(3, options.rounds), seconds=seconds
        )
        outcomes.summary(judged)
        good &= all(one.met for one in judged)
    if "admins" in options.names:
        judged = await admins.measure(rounds=min(3, options.rounds), seconds=5.0 if options.quick else 20.0)
        outcomes.summary(judged)
        good &= all(one.met for one in judged)
    if "page" in options.names:
        judged = await page.measure(
            rounds=2 if options.quick else 2 * options.rounds + 1, seconds=3.0 if options.quick else 10.0
        )
        outcomes.summary(judged)
        good &= all(one.met for one in judged)
    if names := set(options.names) & set(gateway.NAMES):
        plan = gateway.plan(
            quick=options.quick, rounds=min(5, options.rounds), peers=options.peers, long=options.long
        )
        good &= await gateway.measure(names, plan)
    print(stolen)
    return good


def main() -> int:
    """Run what was asked for; return the exit status."""
    options = _options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stacks.install_node_packages()
    if options.peers and {"fanout", "saturation"} & set(options.names):
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
