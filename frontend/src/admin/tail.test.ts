import type { Client } from "@seatcast/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClient, snapshot, update, welcome, type World } from "../../packages/client/src/testing/fakes";
import { DRAW_MS, REMEMBERED, Tail } from "./tail";

let world: World;
let tail: Tail;
let stop: () => void;
const drawn = vi.fn();
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const metrics = (activeBookings: number): object => ({
  ...{ type: "METRICS_UPDATE", activeBookings, totalRevenue: 1, activeUsers: 2, timestamp: "2026-06-01T10:00:00.000Z" },
});

beforeEach(async () => {
  vi.useFakeTimers();
  drawn.mockReset();
  world = fakeClient();
  world.read.mockResolvedValue(snapshot([{ id: "a", name: "Albi", available_seats: 12, version: 1 }]));
  tail = new Tail(world.client as unknown as Client);
  world.client.watchTours(() => undefined);
  await pass(100);
  world.server.last.says(welcome());
  await pass(100);
  stop = tail.follow();
  tail.watch(drawn);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** What is remembered, the newest first. */
async function entries(): Promise<string[]> {
  await pass(DRAW_MS + 16);
  return tail.entries().map(({ kind, tour, before, heard }) => {
    const after = "availableSeats" in heard ? heard.availableSeats : "activeBookings" in heard ? heard.activeBookings : "";
    return `${kind} ${heard.type} ${tour ?? "-"} ${before ?? "-"} ${after}`.trim();
  });
}

describe("the event tail", () => {
  it("says of a tour's seats what they were before, also the first time", async () => {
    world.server.last.says(update("a", 2, 11, { tourName: "Albi" }));
    world.server.last.says(update("a", 3, 9, { tourName: "Albi" }));
    expect(await entries()).toEqual(["seats AVAILABILITY_UPDATE Albi 11 9", "seats AVAILABILITY_UPDATE Albi 12 11"]);
  });

  it("after a reconnection says what has changed since, and nothing of what has not", async () => {
    world.server.last.says(update("b", 1, 7));
    world.server.last.ends(1006);
    await pass(5_000);
    world.server.last.says(welcome());
    world.server.last.says({ ...update("a", 2, 12), type: "INITIAL_STATE" });
    world.server.last.says({ ...update("b", 4, 3), type: "INITIAL_STATE" });
    expect(await entries()).toEqual([
      "seats INITIAL_STATE Tour b 7 3",
      "connection WELCOME - -",
      "connection LOST - -",
      "seats AVAILABILITY_UPDATE Tour b - 7",
    ]);
  });

  it("names the tour that closes", async () => {
    world.server.last.says({ type: "TOUR_CLOSED", tourId: "a", version: 2, timestamp: "2026-06-01T10:00:00.000Z" });
    expect(await entries()).toEqual(["closings TOUR_CLOSED Albi -"]);
  });

  it("says how many bookings there were before", async () => {
    world.server.last.says(metrics(4));
    world.server.last.says(metrics(5));
    expect(await entries()).toEqual(["figures METRICS_UPDATE - 4 5", "figures METRICS_UPDATE - - 4"]);
  });

  it("does not say what this page asked itself", async () => {
    world.server.last.says({ type: "SUBSCRIBED", channel: "metrics" });
    world.server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    expect(await entries()).toEqual([]);
  });

  it("remembers so many of each kind: a rush of one does not hide another", async () => {
    world.server.last.says({ type: "STALE", since: "2026-06-01T10:00:00.000Z" });
    for (let version = 2; version < 1_000; version += 1) world.server.last.says(update("a", version, 1_000 - version));
    const all = await entries();
    expect(all).toHaveLength(REMEMBERED + 1);
    expect(all[0]).toBe("seats AVAILABILITY_UPDATE Tour a 2 1");
    expect(all.at(-1)).toBe("connection STALE - -");
  });

  it("is drawn a few times a second, however much comes", async () => {
    for (let version = 2; version < 102; version += 1) {
      world.server.last.says(update("a", version, version));
      await pass(10);
    }
    expect(drawn.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(drawn.mock.calls.length).toBeLessThanOrEqual(1_000 / DRAW_MS);
  });

  it("stops with whoever followed it", async () => {
    stop();
    world.server.last.says(update("a", 2, 11));
    await pass(DRAW_MS * 2);
    expect(tail.entries()).toEqual([]);
  });
});
