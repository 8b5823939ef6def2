"use strict";
// Socket.IO's server as usual.
const { Server } = require("socket.io");
const { createServer } = require("http");
const { ticking } = require("./facts");

const [port, tours] = process.argv.slice(2).map(Number);
const server = createServer();
const io = new Server(server);
ticking(tours, (fact) => io.emit("AVAILABILITY_UPDATE", fact));
server.listen({ host: "127.0.0.1", port, backlog: 4096 });
