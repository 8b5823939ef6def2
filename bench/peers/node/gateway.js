"use strict";
// Gateway of the plain stack: one queue, and every event stringified once for each client.
const amqp = require("amqplib");
const { WebSocket, WebSocketServer } = require("ws");
const { EXCHANGE, ROUTING_KEY } = require("./broker");

const QUEUE = "websocket_availability_updates";

async function main() {
  const connection = await amqp.connect(process.env.BROKER_URL);
  const channel = await connection.createChannel();
  await channel.assertExchange(EXCHANGE, "topic", { durable: true });
  await channel.assertQueue(QUEUE, { durable: true });
  await channel.bindQueue(QUEUE, EXCHANGE, ROUTING_KEY);

  const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.send(JSON.stringify({ type: "WELCOME", message: "Connected" }));
  });

  const broadcast = (frame) => {
    server.clients.forEach((client) => {
      if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify(frame));
    });
  };

  await channel.consume(QUEUE, (message) => {
    if (message === null) process.exit(1);
    const { tourId, availableSeats, timestamp } = JSON.parse(message.content.toString());
    broadcast({ type: "AVAILABILITY_UPDATE", tourId, availableSeats, timestamp });
    channel.ack(message);
  });
  console.log("ready");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
