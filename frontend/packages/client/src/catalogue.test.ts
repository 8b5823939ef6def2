import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { clock, snapshot, update, welcome } from "./testing/fakes.js";
import type { Snapshot } from "./wire.js";
import { Backoff } from "./backoff.js";
import { Catalogue } from "./catalogue.js";
import { Readers } from "./readers.js";
import { Store } from "./store.js";

let store: Store;
let catalogue: Catalogue;
let answers: { resolve: (snapshot: Snapshot) => void; reject: (error: Error) => void; signal: AbortSignal }[];
const changed = vi.fn();
const tour = { id: "a", name: "A", available_seats: 9, version: 3 };

beforeEach(() => {
  vi.useFakeTimers();
  changed.mockReset();
  answers = [];
  store = new Store(new Readers((flush) => flush()));
  catalogue = new Catalogue({
    store,
    clock,
    backoff: new Backoff(() => 0.5),
    read: (signal) => new Promise((resolve, reject) => answers.push({ resolve, reject, signal })),
    onChange: changed,
  });
});

afterEach(() => {
  catalogue.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

it("reads a snapshot into the store", async () => {
  catalogue.refresh();
  expect(catalogue.reading).toBe(true);
  answers[0]?.resolve(snapshot([tour]));
  await pass();
  expect(catalogue.reading).toBe(false);
  expect(store.tour("a")?.availableSeats).toBe(9);
});

it("a wish during a reading is a wish for one more after it", async () => {
  catalogue.refresh();
  catalogue.refresh();
  catalogue.refresh();
  expect(answers).toHaveLength(1);
  answers[0]?.resolve(snapshot([tour]));
  await pass();
  expect(answers).toHaveLength(2);
  answers[1]?.resolve(snapshot([tour]));
  await pass(60_000);
  expect(answers).toHaveLength(2);
});

it("a tour learnt while reading is not closed by the snapshot", async () => {
  store.apply(welcome());
  catalogue.refresh();
  store.apply(update("new", 0, 10));
  answers[0]?.resolve(snapshot([]));
  await pass();
  expect(store.ids()).toEqual(["new"]);
});

it("tries again with backoff after a failure, and says so", async () => {
  catalogue.refresh();
  answers[0]?.reject(new Error("refused"));
  await pass();
  expect(catalogue.failing).toBe(true);
  await pass(499);
  expect(answers).toHaveLength(1);
  await pass(1);
  answers[1]?.reject(new Error("refused"));
  await pass(1_000);
  answers[2]?.resolve(snapshot([tour]));
  await pass();
  expect(catalogue.failing).toBe(false);
  expect(changed).toHaveBeenCalledTimes(2);
});

it("does not wait when woken, and does nothing when there is nothing to wait for", async () => {
  catalogue.wake();
  expect(answers).toHaveLength(0);
  catalogue.refresh();
  answers[0]?.reject(new Error("refused"));
  await pass();
  catalogue.wake();
  expect(answers).toHaveLength(2);
});

it("a snapshot of another epoch is read again until the two agree", async () => {
  store.apply(welcome({ epoch: "e2" }));
  catalogue.refresh();
  answers[0]?.resolve(snapshot([tour], "e1"));
  await pass();
  expect(store.complete).toBe(false);
  await pass(2_000);
  answers[1]?.resolve(snapshot([tour], "e2"));
  await pass();
  expect(store.ids()).toEqual(["a"]);
});

it("stop aborts, and what comes late is not used", async () => {
  catalogue.refresh();
  catalogue.stop();
  expect(answers[0]?.signal.aborted).toBe(true);
  answers[0]?.resolve(snapshot([tour]));
  await pass();
  expect(store.ids()).toEqual([]);
  catalogue.refresh();
  expect(answers).toHaveLength(2);
});
