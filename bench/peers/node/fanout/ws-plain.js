"use strict";
// `ws` as everyone writes it: a loop over the clients, and the frame stringified for each.
const { WebSocket, WebSocketServer } = require("ws");
const { ticking } = require("./facts");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.send(JSON.stringify({ type: "WELCOME", message: "Connected" }));
});

ticking(Number(process.argv[3]), (fact) => {
  server.clients.forEach((client) => {
    if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify(fact));
  });
});
