import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Client, Tour } from "@seatcast/client";
import { Arrangement, LOOK_MS } from "./arrangement";
import { EVERYTHING, type Wanted } from "./wanted";
import { fakeClient, snapshot, update, welcome } from "../packages/client/src/testing/fakes";

const FRAME_MS = 20;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const tour = (id: string, seats: number): Tour => ({
  id,
  name: id.toUpperCase(),
  available_seats: seats,
  capacity: 100,
  version: 1,
  timestamp: "2026-06-01T09:00:00.000Z",
});

/** A connected client whose snapshot holds `tours`, and their arrangement, watched. */
async function arranged(tours: readonly Tour[], wanted: Partial<Wanted> = { sort: "seats" }) {
  const { client, server, read } = fakeClient();
  read.mockResolvedValue(snapshot(tours));
  const arrangement = new Arrangement(client as unknown as Client, { ...EVERYTHING, ...wanted });
  const woken = vi.fn();
  const stop = arrangement.watch(woken);
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  server.last.says(welcome());
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  return { client, arrangement, server, woken, stop };
}

it("is in order once the list is known", async () => {
  const { arrangement } = await arranged([tour("a", 1), tour("b", 2), tour("c", 3)]);
  expect(arrangement.arranged()).toEqual({ ids: ["c", "b", "a"], outdated: false });
});

it("holds still when seats change, says that it is outdated, and moves when asked", async () => {
  const { arrangement, server, woken } = await arranged([tour("a", 1), tour("b", 2), tour("c", 3)]);
  woken.mockClear();
  server.last.says(update("a", 2, 50));
  await vi.advanceTimersByTimeAsync(LOOK_MS + FRAME_MS);
  expect(arrangement.arranged()).toEqual({ ids: ["c", "b", "a"], outdated: true });
  expect(woken).toHaveBeenCalledTimes(1);

  arrangement.again();
  expect(arrangement.arranged()).toEqual({ ids: ["a", "c", "b"], outdated: false });
  expect(woken).toHaveBeenCalledTimes(2);
});

it("a hundred changes that would move nothing wake nobody", async () => {
  const { server, woken } = await arranged([tour("a", 1), tour("b", 2)]);
  woken.mockClear();
  for (let version = 2; version < 102; version += 1) server.last.says(update("b", version, version));
  await vi.advanceTimersByTimeAsync(3 * LOOK_MS);
  expect(woken).not.toHaveBeenCalled();
});

it("who is closed leaves at once, who is opened comes last, and neither moves the others", async () => {
  const { arrangement, server } = await arranged([tour("a", 1), tour("b", 2), tour("c", 3)]);
  server.last.says({ type: "TOUR_CLOSED", tourId: "b", version: 2, timestamp: "2026-06-01T10:00:00.000Z" });
  server.last.says(update("z", 1, 99));
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  expect(arrangement.arranged()).toEqual({ ids: ["c", "a", "z"], outdated: true });
});

it("who begins to match is shown, though nothing in the list has changed", async () => {
  const { arrangement, server } = await arranged([tour("a", 1)], { date: "2026-07-14" });
  expect(arrangement.arranged().ids).toEqual([]);
  const departure = { id: "d", startsAt: "2026-07-14T08:00:00.000Z", availableSeats: 9, capacity: 9, held: 0, version: 1 };
  server.last.says(update("a", 2, 9, { departure }));
  await vi.advanceTimersByTimeAsync(LOOK_MS + FRAME_MS);
  expect(arrangement.arranged().ids).toEqual(["a"]);
});

it("while the list is still being read, whoever comes takes the place that is theirs", async () => {
  const { client, server, read } = fakeClient();
  const answer = Promise.withResolvers<ReturnType<typeof snapshot>>();
  read.mockReturnValue(answer.promise);
  const arrangement = new Arrangement(client as unknown as Client, { ...EVERYTHING, sort: "seats" });
  arrangement.watch(vi.fn());
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  server.last.says(welcome());
  for (const [id, seats] of [["b", 2], ["a", 50]] as const) {
    server.last.says(update(id, 1, seats));
    await vi.advanceTimersByTimeAsync(FRAME_MS);
  }
  expect(arrangement.arranged()).toEqual({ ids: ["a", "b"], outdated: false });
  answer.resolve(snapshot([tour("a", 50), tour("b", 2), tour("c", 20)]));
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  expect(arrangement.arranged()).toEqual({ ids: ["a", "c", "b"], outdated: false });
});

it("leaves no timer behind", async () => {
  const { server, stop, client } = await arranged([tour("a", 1)]);
  const others = vi.getTimerCount();
  server.last.says(update("a", 2, 5));
  const release = client.retain();
  await vi.advanceTimersByTimeAsync(FRAME_MS);
  stop();
  expect(vi.getTimerCount()).toBe(others);
  release();
});
