"use strict";
// The publishing half of the plain stack: one channel, fire and forget, as most services write it.
const amqp = require("amqplib");

const EXCHANGE = "tour_booking_events";
const ROUTING_KEY = "tour.availability.updated";

async function openPublisher(url) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange(EXCHANGE, "topic", { durable: true });
  let sent = 0;

  return function publishAvailability(tourId, availableSeats) {
    sent += 1;
    const event = {
      eventId: `evt_${Date.now()}_${sent}`,
      eventType: ROUTING_KEY,
      tourId,
      availableSeats,
      timestamp: new Date().toISOString(),
    };
    channel.publish(EXCHANGE, ROUTING_KEY, Buffer.from(JSON.stringify(event)), { persistent: true });
  };
}

module.exports = { EXCHANGE, ROUTING_KEY, openPublisher };
