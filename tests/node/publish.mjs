// A stock `amqplib` publisher that knows nothing of versions. Usage: publish.mjs AMQP_URL TOUR SEATS [RAW_BODY]
import amqp from "amqplib";

const [url, tourId, seats, raw] = process.argv.slice(2);
const connection = await amqp.connect(url);
const channel = await connection.createConfirmChannel();
await channel.assertExchange("tour_booking_events", "topic", { durable: true });
const event = {
  eventId: `evt_${Date.now()}_${Math.random()}`,
  eventType: "tour.availability.updated",
  tourId,
  availableSeats: Number(seats),
  timestamp: new Date().toISOString(),
};
const body = Buffer.from(raw ?? JSON.stringify(event));
channel.publish("tour_booking_events", "tour.availability.updated", body, { persistent: true });
await channel.waitForConfirms();
await connection.close();
