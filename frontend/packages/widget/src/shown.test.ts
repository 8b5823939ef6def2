import type { Status, TourView } from "@seatcast/client";
import { describe, expect, it } from "vitest";
import { type Known, shownOf, type Wanted } from "./shown";
import { speechIn } from "./speech";

const NOW = Date.parse("2026-07-10T12:00:00.000Z");
const connected: Status = { kind: "connected", via: "socket" };

const tour: TourView = {
  id: "tour_paris",
  name: "Paris",
  availableSeats: 12,
  capacity: 40,
  held: 0,
  price: 49,
  currency: "EUR",
  timeZone: "Europe/Paris",
  timestamp: "2026-07-10T11:59:00.000Z",
  departures: [
    { id: "gone", startsAt: "2026-07-10T08:30:00.000Z", availableSeats: 9, capacity: 20 },
    { id: "full", startsAt: "2026-07-14T08:30:00.000Z", availableSeats: 0, capacity: 20 },
    { id: "last", startsAt: "2026-07-15T08:30:00.000Z", availableSeats: 1, capacity: 20 },
    { id: "later", startsAt: "2026-07-16T08:30:00.000Z", availableSeats: 11, capacity: 20 },
  ],
};

const known = (more: Partial<Known> = {}): Known => ({
  tour,
  fate: null,
  failing: false,
  status: connected,
  toldAt: NOW - 1_000,
  freshUntil: NOW + 49_000,
  now: NOW,
  ...more,
});

const shown = (more: Partial<Known> = {}, wanted: Partial<Wanted> = {}) =>
  shownOf(known(more), { departure: null, departures: 0, ...wanted }, speechIn("fr"));

describe("what is live", () => {
  it("is what came over a connection that was heard of lately", () => {
    expect(shown()).toMatchObject({ state: "live", mood: "good", seats: { name: "Paris", count: 12, level: "many" } });
    expect(shown().note).toMatch(/^En direct · mis à jour à \d\d:59:00$/);
  });

  it("is not what a page shows that slept, although it is still called connected", () => {
    const later = NOW + 3_600_000;
    expect(shown({ now: later })).toMatchObject({ state: "old", note: expect.stringMatching(/^Reconnexion… · places d’il y a 1\s+h$/) });
  });

  it.each<[Status, RegExp]>([
    [{ kind: "offline", since: NOW }, /^Hors ligne · places d’il y a 1\s+s$/],
    [{ kind: "reconnecting", retryAt: NOW, since: NOW }, /^Reconnexion… · /],
    [{ kind: "refused", code: 4403, since: null }, /^Connexion refusée · /],
    [{ kind: "stale", since: "2026-07-10T11:55:00.000Z", via: "socket" }, /^Source interrompue · places d’il y a 5\s+min$/],
  ])("is not what is shown while %o, which says how old it is", (status, note) => {
    const found = shown({ status });
    expect(found).toMatchObject({ state: "old", mood: "bad" });
    expect(found.note).toMatch(note);
  });

  it("what was read a moment ago needs no age while the first connection is made; later it does", () => {
    expect(shown({ status: { kind: "connecting" } })).toMatchObject({ state: "connecting", note: "Connexion…" });
    expect(shown({ status: { kind: "connecting" }, toldAt: NOW - 60_000 }).state).toBe("old");
  });
});

describe("without facts", () => {
  it("it loads, or says that it cannot", () => {
    expect(shown({ tour: null }).state).toBe("loading");
    expect(shown({ tour: null, failing: true }).state).toBe("unreachable");
    expect(shown({ tour: null, status: { kind: "offline", since: null } }).state).toBe("unreachable");
    expect(shown({ tour: null, status: { kind: "refused", code: 4403, since: null } }).state).toBe("unreachable");
  });

  it("the service's word on it is shown, whatever was known before", () => {
    expect(shown({ fate: { kind: "closed", name: "Paris" } })).toMatchObject({ state: "closed", name: "Paris", note: "" });
    expect(shown({ tour: null, fate: { kind: "unknown" } })).toMatchObject({ state: "unknown" });
  });
});

describe("departures", () => {
  it("are the next ones, as many as asked for, in the tour's zone", () => {
    const found = shown({}, { departures: 2 });
    expect(found).toMatchObject({
      seats: {
        count: 12,
        rows: [
          { id: "full", seats: "Complet", level: "none", when: expect.stringMatching(/mar\. 14 juil\..* 10:30/) },
          { id: "last", seats: "1\u00a0place", level: "last" },
        ],
      },
    });
  });

  it("one alone stands for the tour", () => {
    const found = shown({}, { departure: "last", departures: 3 });
    expect(found).toMatchObject({ seats: { count: 1, level: "last", rows: [], when: expect.stringContaining("15 juil.") } });
  });

  it("one that is not on sale is closed, unless the rest of the tour has not come yet", () => {
    expect(shown({}, { departure: "none" })).toMatchObject({ state: "closed", name: "Paris" });
    const partly = { ...tour, timeZone: null, price: null, departures: [] };
    expect(shown({ tour: partly }, { departure: "last" }).state).toBe("loading");
  });
});
