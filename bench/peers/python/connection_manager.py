"""FastAPI's ConnectionManager, as its documentation writes it."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

import uvicorn
from facts import facts
from fastapi import FastAPI, WebSocket, WebSocketDisconnect


class ConnectionManager:
    def __init__(self):
        self.active_connections: list[WebSocket] = []

    async def connect(self, websocket: WebSocket):
        await websocket.accept()
        self.active_connections.append(websocket)

    def disconnect(self, websocket: WebSocket):
        self.active_connections.remove(websocket)

    async def broadcast(self, message: str):
        for connection in self.active_connections:
            await connection.send_text(message)


manager = ConnectionManager()


async def tell():
    async for fact in facts(int(sys.argv[2])):
        await manager.broadcast(json.dumps(fact, separators=(",", ":")))


@asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(tell())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/")
async def websocket_endpoint(websocket: WebSocket):
    await manager.connect(websocket)
    await websocket.send_json({"type": "WELCOME", "message": "Connected"})
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        manager.disconnect(websocket)


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), backlog=4096, log_level="warning")
