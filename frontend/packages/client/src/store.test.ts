import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { snapshot, update, welcome } from "./testing/fakes.js";
import type { ServerFrame, Tour } from "./frames.js";
import { Readers } from "./readers.js";
import { Store } from "./store.js";

let flush: (() => void) | null = null;
let flushes = 0;

let readers: Readers;

function newStore(): Store {
  readers = new Readers((run) => {
    flushes += 1;
    flush = run;
  });
  return new Store(readers);
}

function runFlush(): void {
  const run = flush;
  flush = null;
  run?.();
}

function open(): Store {
  const store = newStore();
  store.apply(welcome());
  return store;
}

beforeEach(() => {
  flush = null;
  flushes = 0;
});

const closed = (tourId: string, version: number, departureId?: string): ServerFrame => ({
  type: "TOUR_CLOSED",
  tourId,
  version,
  timestamp: "2026-06-01T10:00:00.000Z",
  ...(departureId === undefined ? {} : { departureId }),
});
const departure = (id: string, version: number, availableSeats: number) => ({
  departure: { id, startsAt: `2026-07-1${id.at(-1)}T08:30:00.000Z`, availableSeats, capacity: 20, held: 0, version },
});
const tour = (id: string, version: number, available_seats: number, more: Partial<Tour> = {}): Tour => ({
  id,
  name: `Tour ${id}`,
  available_seats,
  capacity: 100,
  held: 0,
  price: 49,
  currency: "EUR",
  timeZone: "Europe/Paris",
  version,
  timestamp: update(id, version, 0).timestamp,
  ...more,
});

describe("joining", () => {
  it("the higher version stays, whichever comes last", () => {
    const store = open();
    store.apply(update("a", 7, 13));
    store.apply(update("a", 6, 15));
    expect(store.tour("a")?.availableSeats).toBe(13);
  });

  it("tour and departure are joined each by its own version", () => {
    const store = open();
    store.apply(update("a", 10, 30, departure("d1", 5, 10)));
    store.apply(update("a", 9, 31, departure("d1", 6, 9)));
    expect(store.tour("a")).toMatchObject({ availableSeats: 30, departures: [{ id: "d1", availableSeats: 9 }] });
  });

  it("departures are in the order of their starts", () => {
    const store = open();
    store.apply(update("a", 1, 30, departure("d3", 0, 10)));
    store.apply(update("a", 1, 30, departure("d1", 0, 10)));
    store.apply(update("a", 1, 30, departure("d2", 0, 10)));
    expect(store.tour("a")?.departures.map(({ id }) => id)).toEqual(["d1", "d2", "d3"]);
  });

  it("closed wins at the same version, and a higher version opens again", () => {
    const store = open();
    store.apply(closed("a", 7));
    store.apply(update("a", 7, 13));
    expect(store.tour("a")).toBeNull();
    expect(store.ids()).toEqual([]);
    store.apply(update("a", 8, 13));
    expect(store.ids()).toEqual(["a"]);
  });

  it("a closed departure leaves the others", () => {
    const store = open();
    store.apply(update("a", 1, 30, departure("d1", 3, 10)));
    store.apply(update("a", 1, 30, departure("d2", 3, 20)));
    store.apply(closed("a", 4, "d1"));
    expect(store.tour("a")?.departures.map(({ id }) => id)).toEqual(["d2"]);
  });

  it("any order and repetition of the same facts ends in the same state", () => {
    // Facts as a service makes them: one truth per key and version.
    const fact = fc.oneof(
      fc.record({ t: fc.constantFrom("a", "b"), v: fc.nat(6) }).map(({ t, v }) => update(t, v, 50 + v)),
      fc
        .record({ t: fc.constantFrom("a", "b"), v: fc.nat(6), d: fc.constantFrom("d1", "d2"), w: fc.nat(6) })
        .map(({ t, v, d, w }) => update(t, v, 50 + v, departure(d, w, w))),
      fc.record({ t: fc.constantFrom("a", "b"), v: fc.nat(6) }).map(({ t, v }) => closed(t, v)),
      fc
        .record({ t: fc.constantFrom("a", "b"), v: fc.nat(6), d: fc.constantFrom("d1", "d2") })
        .map(({ t, v, d }) => closed(t, v, d)),
      fc
        .record({ t: fc.constantFrom("a", "b"), v: fc.nat(6), d: fc.constantFrom("d1", "d2"), w: fc.nat(6) })
        .map(({ t, v, d, w }) => tour(t, v, 50 + v, { departures: [departure(d, w, w).departure] })),
    );
    const learn = (facts: readonly (ServerFrame | Tour)[]): unknown => {
      const store = open();
      for (const one of facts) {
        // A mark of -1: nothing was known before the snapshot was asked for, so that it closes nothing.
        if ("type" in one) store.apply(one);
        else store.applySnapshot(snapshot([one]), -1);
      }
      return { ids: store.ids(), a: store.tour("a"), b: store.tour("b") };
    };
    fc.assert(
      fc.property(
        fc.array(fact, { minLength: 1, maxLength: 20 }).chain((facts) =>
          fc.tuple(
            fc.constant(facts),
            fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2, maxLength: facts.length * 2 }),
          ),
        ),
        ([facts, shuffled]) => {
          expect(learn(shuffled)).toEqual(learn(facts));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("epochs", () => {
  it("WELCOME of another epoch forgets everything and takes what follows, also lower versions", () => {
    const store = open();
    store.apply(update("a", 90, 1));
    store.apply(update("gone", 90, 1));
    store.apply(welcome({ epoch: "e2" }));
    store.apply(update("a", 2, 40));
    expect(store.ids()).toEqual(["a"]);
    expect(store.tour("a")?.availableSeats).toBe(40);
  });

  it("WELCOME of the same epoch forgets nothing", () => {
    const store = open();
    store.apply(update("a", 9, 1));
    store.apply(welcome());
    expect(store.tour("a")?.availableSeats).toBe(1);
  });

  it("RESET does as a WELCOME of another epoch, and the list is not complete until a snapshot of it", () => {
    const store = open();
    store.applySnapshot(snapshot([tour("a", 9, 1)]), 0);
    store.apply({ type: "RESET", epoch: "e2" });
    expect(store.ids()).toEqual([]);
    expect(store.complete).toBe(false);
    expect(store.applySnapshot(snapshot([tour("a", 1, 5)]), store.mark())).toBe(false);
    expect(store.applySnapshot(snapshot([tour("a", 1, 5)], "e2"), store.mark())).toBe(true);
    expect(store.tour("a")?.availableSeats).toBe(5);
  });

  it("an answer to a booking is joined in its own epoch only", () => {
    const store = open();
    store.apply(update("a", 5, 10));
    store.applyAvailability(update("a", 6, 8), "e0");
    store.applyAvailability(update("a", 6, 8), null);
    expect(store.tour("a")?.availableSeats).toBe(10);
    store.applyAvailability(update("a", 6, 8), "e1");
    expect(store.tour("a")?.availableSeats).toBe(8);
  });
});

describe("snapshots", () => {
  it("the first one may come before the socket and sets the epoch", () => {
    const store = newStore();
    expect(store.complete).toBe(false);
    store.applySnapshot(snapshot([tour("a", 5, 10)]), store.mark());
    store.apply(welcome());
    expect(store.complete).toBe(true);
    expect(store.tour("a")).toMatchObject({ availableSeats: 10, price: 49, currency: "EUR", timeZone: "Europe/Paris" });
  });

  it("an older one adds the price without taking the seats back", () => {
    const store = open();
    store.apply(update("a", 7, 3));
    expect(store.isUndescribed("a")).toBe(true);
    store.applySnapshot(snapshot([tour("a", 5, 10)]), 0);
    expect(store.tour("a")).toMatchObject({ availableSeats: 3, price: 49 });
    expect(store.isUndescribed("a")).toBe(false);
  });

  it("a tour or departure that we knew before asking, and that is not in it, has been closed", () => {
    const store = open();
    store.apply(update("a", 7, 3));
    store.apply(update("b", 7, 30, departure("d1", 2, 10)));
    store.apply(update("b", 7, 30, departure("d2", 2, 20)));
    const mark = store.mark();
    store.applySnapshot(snapshot([tour("b", 7, 20, { departures: [departure("d2", 2, 20).departure] })]), mark);
    expect(store.ids()).toEqual(["b"]);
    expect(store.tour("b")?.departures.map(({ id }) => id)).toEqual(["d2"]);
    store.apply(update("a", 8, 4));
    expect(store.tour("a")?.availableSeats).toBe(4);
  });

  it("what we learnt after asking is not closed by its absence", () => {
    const store = open();
    const mark = store.mark();
    store.apply(update("new", 0, 30, departure("d1", 0, 30)));
    store.applySnapshot(snapshot([]), mark);
    expect(store.tour("new")?.departures).toHaveLength(1);
  });

  it("a service without versions gives first figures, which any frame replaces", () => {
    const store = newStore();
    store.applySnapshot(snapshot([{ id: "a", name: "A", available_seats: 15 }], null), store.mark());
    expect(store.tour("a")).toMatchObject({ name: "A", availableSeats: 15, capacity: null, timestamp: null });
    store.apply(welcome());
    store.apply(update("a", 1, 14));
    store.applySnapshot(snapshot([{ id: "a", name: "A", available_seats: 15 }], null), store.mark());
    expect(store.tour("a")?.availableSeats).toBe(14);
  });

  it("the name is the newest told, by frame or by snapshot", () => {
    const store = open();
    store.applySnapshot(snapshot([tour("a", 5, 10, { name: "Old" })]), 0);
    store.apply(update("a", 6, 10, { tourName: "New" }));
    expect(store.tour("a")?.name).toBe("New");
    store.applySnapshot(snapshot([tour("a", 7, 10, { name: "Newer" })]), 0);
    expect(store.tour("a")?.name).toBe("Newer");
  });
});

describe("waking", () => {
  it("500 updates in one tick wake the reader once, on the newest value", () => {
    const store = open();
    store.apply(update("a", 0, 500));
    runFlush();
    const wake = vi.fn(() => expect(store.tour("a")?.availableSeats).toBe(0));
    readers.watch("tour a", wake);
    flushes = 0;
    for (let version = 1; version <= 500; version += 1) store.apply(update("a", version, 500 - version));
    expect(flushes).toBe(1);
    runFlush();
    expect(wake).toHaveBeenCalledOnce();
  });

  it("only the readers of that tour, and of the list only when the list is another", () => {
    const store = open();
    for (const id of ["a", "b"]) store.apply(update(id, 1, 10));
    runFlush();
    const [a, b, list] = [vi.fn(), vi.fn(), vi.fn()];
    readers.watch("tour a", a);
    readers.watch("tour b", b);
    readers.watch("tours", list);
    const ids = store.ids();
    store.apply(update("a", 2, 9));
    runFlush();
    expect([a, b, list].map((wake) => wake.mock.calls.length)).toEqual([1, 0, 0]);
    expect(store.ids()).toBe(ids);
    store.apply(closed("b", 2));
    runFlush();
    expect([a, b, list].map((wake) => wake.mock.calls.length)).toEqual([1, 1, 1]);
    expect(store.ids()).toEqual(["a"]);
  });

  it("a fact that is not new wakes nobody and leaves the view as it is", () => {
    const store = open();
    store.apply(update("a", 5, 9));
    runFlush();
    const view = store.tour("a");
    store.apply(update("a", 5, 9));
    store.apply(update("a", 4, 8));
    expect(flush).toBeNull();
    expect(store.tour("a")).toBe(view);
  });

  it("a reader that left is not woken, and one may leave while the others are woken", () => {
    const store = open();
    const second = vi.fn();
    const leave = readers.watch("tour a", () => leave());
    readers.watch("tour a", second);
    readers.watch("tour a", vi.fn())();
    store.apply(update("a", 1, 9));
    runFlush();
    store.apply(update("a", 2, 8));
    runFlush();
    expect(second).toHaveBeenCalledTimes(2);
  });

  it("frames that say nothing of seats change nothing", () => {
    const store = open();
    runFlush();
    store.apply({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    store.apply({ type: "STALE", since: "2026-06-01T10:00:00.000Z" });
    expect(flush).toBeNull();
  });

  it("the list is by name", () => {
    const store = open();
    store.apply(update("1", 1, 1, { tourName: "Rome" }));
    store.apply(update("2", 1, 1, { tourName: "Étretat" }));
    store.apply(update("3", 1, 1, { tourName: "Florence" }));
    expect(store.ids()).toEqual(["2", "3", "1"]);
  });
});
