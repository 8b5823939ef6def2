import type { Tour } from "@seatcast/client";
import { beforeEach, describe, expect, it, vi } from "vitest";
import rest from "../../../contract/rest.json";
import { Refused, Unanswered } from "../api";
import {
  addDeparture,
  changeDeparture,
  changeTour,
  createTour,
  type Insist,
  newDepartureId,
  readTour,
  readTours,
  type WishedTour,
} from "./operator";

const insist = vi.fn<Insist>();
const refused = (code: string): Refused => new Refused({ error: code, code });
const body = (call: number): unknown => JSON.parse(insist.mock.calls[call]?.[1]?.body as string);

beforeEach(() => insist.mockReset());

describe("reading", () => {
  it("asks for what is closed too", async () => {
    insist.mockResolvedValue([]);
    await readTours(insist);
    await readTour(insist, "a tour");
    expect(insist.mock.calls.map(([path]) => path)).toEqual([
      "/api/tours?closed=true",
      "/api/tours/a%20tour?closed=true",
    ]);
  });

  it("tells a tour that is not there from one that cannot be read", async () => {
    insist.mockRejectedValueOnce(refused("TOUR_NOT_FOUND"));
    expect(await readTour(insist, "x")).toBeNull();
    insist.mockRejectedValueOnce(refused("FORBIDDEN"));
    await expect(readTour(insist, "x")).rejects.toThrow(Refused);
  });
});

describe("making a tour", () => {
  const louvre = rest["Tour undated"] as Tour;
  const paris = rest["Tour dated"] as Tour;
  const undated: WishedTour = {
    ...{ id: "tour_louvre", name: "Louvre Night Tour", price: 39.5, currency: "EUR", timeZone: "Europe/Paris" },
    ...{ capacity: 20, departures: null },
  };
  const dated: WishedTour = {
    ...{ id: "tour_paris", name: "Paris City Tour", price: 49, currency: "EUR", timeZone: "Europe/Paris" },
    ...{ capacity: null, departures: [{ id: "dep_1", startsAt: "2026-07-14T08:30:00.000Z", capacity: 20 }] },
  };

  it.each([
    ["undated", undated, louvre],
    ["dated", dated, paris],
  ])("that is there already just as it is wished was made, and only the answer was lost (%s)", async (_, wish, found) => {
    insist.mockRejectedValueOnce(refused("TOUR_EXISTS")).mockResolvedValueOnce(found);
    await createTour(insist, wish);
    expect(body(0)).toEqual(wish);
  });

  it.each([
    ["another name", undated, { ...louvre, name: "Louvre" }],
    ["another price", undated, { ...louvre, price: 39.4 }],
    ["other seats", undated, { ...louvre, capacity: 21 }],
    ["dates", undated, { ...louvre, departures: [] }],
    ["other departures", dated, { ...paris, departures: [{ ...paris.departures?.[0], id: "dep_9" }] }],
    ["no dates", dated, { ...louvre, id: "tour_paris", name: "Paris City Tour", price: 49 }],
    ["been closed", undated, { ...louvre, closed: true }],
  ])("that is there already with %s is somebody else's", async (_, wish, found) => {
    insist.mockRejectedValueOnce(refused("TOUR_EXISTS")).mockResolvedValueOnce(found);
    await expect(createTour(insist, wish)).rejects.toMatchObject({ code: "TOUR_EXISTS" });
  });

  it("that the service refuses, or does not answer to, is not looked for", async () => {
    for (const error of [refused("INVALID_BODY"), new Unanswered()]) {
      insist.mockReset().mockRejectedValueOnce(error);
      await expect(createTour(insist, undated)).rejects.toBe(error);
      expect(insist).toHaveBeenCalledOnce();
    }
  });
});

describe("changing", () => {
  const departure = { id: newDepartureId(), startsAt: "2026-07-14T08:30:00.000Z", capacity: 20 };

  it("a departure whose id is taken was added before: only this page can have made that id", async () => {
    insist.mockRejectedValueOnce(refused("DEPARTURE_EXISTS"));
    await addDeparture(insist, "tour_paris", departure);
    expect(body(0)).toEqual(departure);
    insist.mockRejectedValueOnce(refused("TOUR_CLOSED"));
    await expect(addDeparture(insist, "tour_paris", departure)).rejects.toMatchObject({ code: "TOUR_CLOSED" });
  });

  it("names tour and departure in the address", async () => {
    await changeTour(insist, "a/b", { closed: true });
    await changeDeparture(insist, "a/b", "c d", { capacity: 3 });
    expect(insist.mock.calls.map(([path, init]) => `${init?.method} ${path}`)).toEqual([
      "PATCH /api/tours/a%2Fb",
      "PATCH /api/tours/a%2Fb/departures/c%20d",
    ]);
    expect([body(0), body(1)]).toEqual([{ closed: true }, { capacity: 3 }]);
  });
});
