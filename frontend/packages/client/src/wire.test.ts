import { describe, expect, it } from "vitest";
import rest from "../../../../contract/rest.json";
import frames from "../../../../contract/server-frames.json";
import clientFrames from "../../../../contract/client-frames.json";
import type { ClientFrame } from "./frames.js";
import { isAvailability, isTour, parseFrame } from "./wire.js";

describe("the golden frames of contract/", () => {
  it.each(Object.entries(frames))("%s is read as it stands", (_, frame) => {
    expect(parseFrame(JSON.stringify(frame))).toEqual(frame);
  });

  it("the frames that we send are among the client's", () => {
    const ping: ClientFrame = { type: "PING" };
    const subscribe: ClientFrame = { type: "SUBSCRIBE", tourId: "tour_123" };
    expect(clientFrames["PING bare"]).toEqual(ping);
    expect(clientFrames["SUBSCRIBE with nothing optional"]).toEqual(subscribe);
  });
});

describe("the golden REST bodies", () => {
  it("every tour is a tour, also one that tells only seats", () => {
    expect(isTour(rest["Tour undated"])).toBe(true);
    expect(isTour(rest["Tour dated"])).toBe(true);
    expect(isTour(rest["Tour of a service that tells only seats"])).toBe(true);
  });

  it("the answer to a booking holds an availability fact and the booking", () => {
    expect(isAvailability(rest.BookResponse.availability)).toBe(true);
    expect(rest.BookResponse.booking).toMatchObject({ id: "bkg_0a1b2c", seats: 2, status: "confirmed", total: 98 });
  });
});

describe("what cannot be vouched for is ignored", () => {
  const good = frames["AVAILABILITY_UPDATE dated"];
  it.each([
    ["not JSON", "seats!"],
    ["an array", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["a type that is no text", '{"type":7}'],
    ["no tour", JSON.stringify({ ...good, tourId: undefined })],
    ["negative seats", JSON.stringify({ ...good, availableSeats: -1 })],
    ["half a seat", JSON.stringify({ ...good, availableSeats: 2.5 })],
    ["a version past what a number holds", JSON.stringify({ ...good, version: 2 ** 53 })],
    ["a departure without a start", JSON.stringify({ ...good, departure: { ...good.departure, startsAt: undefined } })],
    ["a heartbeat that is no number", JSON.stringify({ ...frames["WELCOME anonymous"], heartbeatSeconds: "20" })],
    ["a departure that is a list", JSON.stringify({ ...good, departure: [good.departure] })],
  ])("%s", (_, text) => expect(parseFrame(text)).toBeNull());

  it.each(["DANCE", "toString", "__proto__"])("type %s is unknown, and handed on as it is", (type) => {
    expect(parseFrame(JSON.stringify({ type, steps: 3 }))).toEqual({ type, steps: 3 });
  });

  it("unknown fields are no reason to refuse", () => {
    expect(parseFrame(JSON.stringify({ ...good, mood: "sunny" }))).not.toBeNull();
  });
});
