import { describe, expect, it } from "vitest";
import rest from "../../contract/rest.json";
import frames from "../../contract/server-frames.json";
import clientFrames from "../../contract/client-frames.json";
import { type ClientFrame, isAvailability, isTour, parseFrame } from "./wire";

/** Types of the contract that this page does not read. A new one in the contract must be put here or be read. */
const IGNORED = new Set(["AUTHENTICATED", "RANDOM_NUMBER", "SUBSCRIBED", "UNSUBSCRIBED"]);

describe("the golden frames of contract/", () => {
  it.each(Object.entries(frames))("%s is read as it stands, or ignored on purpose", (_, frame) => {
    const read = parseFrame(JSON.stringify(frame));
    if (IGNORED.has(frame.type)) expect(read).toBeNull();
    else expect(read).toEqual(frame);
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
    ["an unknown type", '{"type":"DANCE"}'],
    ["the name of an object's own method", '{"type":"toString"}'],
    ["no tour", JSON.stringify({ ...good, tourId: undefined })],
    ["negative seats", JSON.stringify({ ...good, availableSeats: -1 })],
    ["half a seat", JSON.stringify({ ...good, availableSeats: 2.5 })],
    ["a version past what a number holds", JSON.stringify({ ...good, version: 2 ** 53 })],
    ["a departure without a start", JSON.stringify({ ...good, departure: { ...good.departure, startsAt: undefined } })],
    ["a heartbeat of nothing", JSON.stringify({ ...frames["WELCOME anonymous"], heartbeatSeconds: 0 })],
  ])("%s", (_, text) => expect(parseFrame(text)).toBeNull());

  it("unknown fields are no reason to refuse", () => {
    expect(parseFrame(JSON.stringify({ ...good, mood: "sunny" }))).not.toBeNull();
  });
});
