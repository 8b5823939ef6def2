"""`websockets` with its own `broadcast()`, on uvloop."""

import json
import sys

import uvloop
from facts import facts
from websockets.asyncio.server import broadcast, serve

clients = set()


async def handler(websocket):
    await websocket.send(json.dumps({"type": "WELCOME", "message": "Connected"}))
    clients.add(websocket)
    try:
        await websocket.wait_closed()
    finally:
        clients.remove(websocket)


async def main():
    async with serve(handler, "127.0.0.1", int(sys.argv[1]), backlog=4096):
        async for fact in facts(int(sys.argv[2])):
            broadcast(clients, json.dumps(fact, separators=(",", ":")))


uvloop.run(main())
