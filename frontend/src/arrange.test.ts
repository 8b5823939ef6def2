import type { TourView } from "@seatcast/client";
import { describe, expect, it } from "vitest";
import { arrange, dayIn, departuresOn, keepPlaces } from "./arrange";
import { EVERYTHING } from "./wanted";

const tour = (id: string, name: string, more: Partial<TourView> = {}): TourView => ({
  id,
  name,
  availableSeats: 10,
  capacity: 20,
  held: 0,
  price: null,
  currency: null,
  timeZone: "Europe/Paris",
  timestamp: null,
  departures: [],
  ...more,
});
const at = (startsAt: string, availableSeats = 5): TourView["departures"][number] => ({
  id: startsAt,
  startsAt,
  availableSeats,
  capacity: 20,
});

describe("a search by name", () => {
  const tours = [tour("coeur", "Cœur de Rome"), tour("ile", "L’Île de la Cité"), tour("strasse", "Straße")];
  const found = (text: string): readonly string[] => arrange(tours, { ...EVERYTHING, text });

  it.each([
    ["ILE", ["ile"]],
    ["île", ["ile"]],
    ["cite ile", ["ile"]],
    ["l'île", ["ile"]],
    ["coeur", ["coeur"]],
    ["CŒUR", ["coeur"]],
    ["strasse", ["strasse"]],
    ["rome cité", []],
    [" ", ["coeur", "ile", "strasse"]],
    ["…", ["coeur", "ile", "strasse"]],
  ])("%j finds %j: accents, case, ligatures and the order of the words do not count", (text, ids) => {
    expect(found(text)).toEqual(ids);
  });
});

describe("an order", () => {
  const tours = [
    tour("a", "A", { availableSeats: 3, timestamp: "2026-06-01T10:00:00.000Z" }),
    tour("b", "B", { availableSeats: 9, departures: [at("2026-07-15T08:00:00.000Z")] }),
    tour("c", "C", {
      availableSeats: 9,
      timestamp: "2026-06-01T11:00:00.000Z",
      departures: [at("2026-07-14T08:00:00.000Z", 2), at("2026-07-15T07:00:00.000Z", 7)],
    }),
  ];

  it.each([
    ["name", ["a", "b", "c"]],
    ["seats", ["b", "c", "a"]],
    ["departure", ["c", "b", "a"]],
    ["changed", ["c", "a", "b"]],
  ] as const)("by %s is %j; the name breaks ties, and what is not known comes last", (sort, ids) => {
    expect(arrange(tours, { ...EVERYTHING, sort })).toEqual(ids);
  });

  it("on a day counts that day's seats and departures alone", () => {
    expect(arrange(tours, { text: "", sort: "seats", date: "2026-07-15" })).toEqual(["c", "b"]);
    expect(arrange(tours, { text: "", sort: "departure", date: "2026-07-15" })).toEqual(["c", "b"]);
    expect(arrange(tours, { text: "", sort: "seats", date: "2026-07-14" })).toEqual(["c"]);
  });
});

describe("a day", () => {
  it.each([
    ["2026-07-13T23:30:00.000Z", "Europe/Paris", "2026-07-14"],
    ["2026-07-14T03:30:00.000Z", "America/New_York", "2026-07-13"],
    ["2026-07-13T11:00:00.000Z", "Pacific/Kiritimati", "2026-07-14"],
    ["2026-07-15T10:30:00.000Z", "Pacific/Pago_Pago", "2026-07-14"],
    ["2026-07-14T23:30:00.000Z", "Mars/Olympus_Mons", "2026-07-14"],
    ["2026-07-14T23:30:00.000Z", null, "2026-07-14"],
  ])("%s in %s is %s: the tour's own, wherever the reader is", (startsAt, timeZone, day) => {
    expect(dayIn(startsAt, timeZone)).toBe(day);
    const one = tour("t", "T", { timeZone, departures: [at(startsAt)] });
    expect(departuresOn(one, day)).toHaveLength(1);
    expect(departuresOn(one, "2026-07-16")).toEqual([]);
  });

  it("is one on which a sold out departure still leaves; tours without dates are on none", () => {
    const tours = [tour("full", "Full", { departures: [at("2026-07-14T08:00:00.000Z", 0)] }), tour("undated", "Undated")];
    expect(arrange(tours, { ...EVERYTHING, date: "2026-07-14" })).toEqual(["full"]);
  });
});

it("places are kept: who is gone leaves, who is new comes last, nobody else moves", () => {
  expect(keepPlaces(["b", "gone", "a"], ["a", "new", "b"])).toEqual(["b", "a", "new"]);
});
