// A stock `amqplib` consumer: prints every event's body, one a line. Usage: consume.mjs AMQP_URL
import amqp from "amqplib";

const connection = await amqp.connect(process.argv[2]);
const channel = await connection.createChannel();
await channel.assertExchange("tour_booking_events", "topic", { durable: true });
const { queue } = await channel.assertQueue("", { exclusive: true });
await channel.bindQueue(queue, "tour_booking_events", "tour.availability.updated");
await channel.consume(queue, (message) => {
  console.log(message.content.toString());
  channel.ack(message);
});
console.log("consuming");
