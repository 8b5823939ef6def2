"use strict";
// `ws` tuned by hand: each frame built once, written to the clients' sockets. With BROKER_URL the facts come from
// RabbitMQ, as Seatcast's do, else it makes them itself.
const { Sender, WebSocket, WebSocketServer } = require("ws");
const { ticking } = require("./facts");

const [port, tours] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({
  host: "127.0.0.1", port, backlog: 4096, perMessageDeflate: false, clientTracking: false,
});
const clients = new Set();
server.on("connection", (client) => {
  clients.add(client);
  client.on("error", () => client.terminate());
  client.on("close", () => clients.delete(client));
  client.send(JSON.stringify({ type: "WELCOME", message: "Connected" }));
});

function tell(fact) {
  const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
  const frame = Buffer.concat(Sender.frame(Buffer.from(JSON.stringify(fact)), options));
  for (const client of clients) {
    if (client.readyState === WebSocket.OPEN) client._socket.write(frame);
  }
}

async function consuming(url) {
  const connection = await require("amqplib").connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange("tour_booking_events", "topic", { durable: true });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "tour_booking_events", "tour.availability.updated");
  await channel.consume(queue, (message) => {
    if (message === null) process.exit(1);
    const { tourId, availableSeats, timestamp, tourName, capacity, held, version } = JSON.parse(message.content);
    tell({ type: "AVAILABILITY_UPDATE", tourId, availableSeats, timestamp, tourName, capacity, held, version });
  }, { noAck: true });
}

if (process.env.BROKER_URL) consuming(process.env.BROKER_URL);
else ticking(tours, tell);
