import type { Client, ShopMetrics } from "@seatcast/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import rest from "../../../contract/rest.json";
import { fakeClient, show, update, welcome, type World } from "../../packages/client/src/testing/fakes";
import { type Api, Refused, Unanswered } from "../api";
import { BETWEEN_MS, RETRY_MS } from "./readings";
import { ASK_MS, DRAW_MS, Shop } from "./shop";

const FRAME_MS = 16;
const metrics = vi.fn<Api["metrics"]>();
const answer = rest.ShopMetrics as ShopMetrics;
const figures = { ...answer, tours: undefined };
let world: World;
let shop: Shop;
let stop: () => void;

/** METRICS_UPDATE, so many seconds after the reading. */
const told = (seconds: number, more: object = {}): object => ({
  ...{ type: "METRICS_UPDATE", ...figures, ...more },
  timestamp: new Date(Date.parse(answer.timestamp) + seconds * 1_000).toISOString(),
});
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function open(more: Parameters<typeof fakeClient>[0] = {}): Promise<void> {
  world = fakeClient(more);
  shop = new Shop(world.client as unknown as Client, { metrics });
  stop = shop.follow();
  await pass(FRAME_MS);
  world.server.last.says(welcome());
  await pass(FRAME_MS * 2);
}

beforeEach(() => {
  vi.useFakeTimers();
  metrics.mockReset().mockResolvedValue(answer);
});

afterEach(() => {
  vi.useRealTimers();
});

describe("readings", () => {
  it("one at the start, and none while nothing is sold", async () => {
    await open();
    for (let second = 1; second < 20; second += 1) {
      world.server.last.says(told(second, { activeUsers: second }));
      await pass(1_000);
    }
    expect(metrics).toHaveBeenCalledTimes(1);
    expect(shop.reading()).toEqual({ metrics: answer, problem: null });
  });

  it("when something is sold, but never more often than every few seconds", async () => {
    await open();
    world.server.last.says(told(1));
    await pass(BETWEEN_MS * 2);
    metrics.mockClear();
    for (let sale = 0; sale < 60; sale += 1) {
      world.server.last.says(told(10 + sale / 10, { activeBookings: 100 + sale }));
      await pass(100);
    }
    await pass(BETWEEN_MS);
    expect(metrics.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(metrics.mock.calls.length).toBeLessThanOrEqual(1 + 9_000 / BETWEEN_MS);
  });

  it("when a tour opens", async () => {
    await open();
    await pass(BETWEEN_MS * 2);
    metrics.mockClear();
    world.server.last.says(update("tour_new", 1, 10));
    await pass(FRAME_MS * 3);
    expect(metrics).toHaveBeenCalledTimes(1);
  });

  it("a sale during a reading is read after it", async () => {
    await open();
    await pass(BETWEEN_MS * 2);
    let answered: (value: ShopMetrics) => void = () => undefined;
    metrics.mockReset().mockImplementation(() => new Promise((resolve) => (answered = resolve)));
    world.server.last.says(told(10, { activeBookings: 50 }));
    await pass(FRAME_MS * 3);
    expect(metrics).toHaveBeenCalledTimes(1);
    world.server.last.says(told(11, { activeBookings: 51 }));
    await pass(BETWEEN_MS * 2);
    expect(metrics).toHaveBeenCalledTimes(1);
    answered(answer);
    await pass(BETWEEN_MS);
    expect(metrics).toHaveBeenCalledTimes(2);
  });

  it("after a reconnection", async () => {
    await open();
    await pass(BETWEEN_MS * 2);
    metrics.mockClear();
    world.server.last.ends(1006);
    await pass(5_000);
    expect(metrics).not.toHaveBeenCalled();
    world.server.last.says(welcome());
    await pass(FRAME_MS * 3);
    expect(metrics).toHaveBeenCalledTimes(1);
  });

  it("again after no answer, keeping what was read before", async () => {
    await open();
    await pass(BETWEEN_MS);
    metrics.mockRejectedValue(new Unanswered());
    shop.again();
    await pass(BETWEEN_MS);
    expect(shop.reading()).toEqual({ metrics: answer, problem: "unanswered" });
    metrics.mockClear().mockResolvedValue(answer);
    await pass(RETRY_MS + FRAME_MS);
    expect(metrics).toHaveBeenCalledTimes(1);
    expect(shop.reading().problem).toBeNull();
  });

  it("not again after a refusal, and nothing is left of what was read", async () => {
    metrics.mockRejectedValue(new Refused({ error: "Non", code: "FORBIDDEN" }));
    await open();
    await pass(RETRY_MS * 5);
    expect(metrics).toHaveBeenCalledTimes(1);
    expect(shop.reading()).toEqual({ metrics: null, problem: "refused" });
  });

  it("none in a hidden tab, one when it is shown", async () => {
    await open();
    await pass(BETWEEN_MS * 2);
    metrics.mockClear();
    world.page.isVisible = false;
    for (let second = 0; second < 20; second += 1) {
      world.server.last.says(told(10 + second, { activeBookings: 100 + second }));
      await pass(1_000);
    }
    expect(metrics).not.toHaveBeenCalled();
    show(world.page);
    await pass(FRAME_MS * 3);
    expect(metrics).toHaveBeenCalledTimes(1);
  });

  it("where WebSockets are blocked, again and again: nobody tells the figures there", async () => {
    await open({ roads: ["poll"] });
    await pass(BETWEEN_MS);
    metrics.mockClear();
    await pass(ASK_MS * 5);
    expect(metrics.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(metrics.mock.calls.length).toBeLessThanOrEqual(5);
  });

  it("leave no timer behind", async () => {
    await open({ roads: ["poll"] });
    await pass(1_000);
    stop();
    await pass(BETWEEN_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("figures", () => {
  it("are the newest of what was told and read", async () => {
    await open();
    expect(shop.figures()?.activeBookings).toBe(42);
    world.server.last.says(told(5, { activeBookings: 43 }));
    expect(shop.figures()?.activeBookings).toBe(43);
    await pass(BETWEEN_MS * 2);
    // Read since then, but as of an earlier moment.
    expect(metrics.mock.calls.length).toBeGreaterThan(1);
    expect(shop.figures()?.activeBookings).toBe(43);
  });

  it("are drawn at most once a second, with a gap where there was another connection", async () => {
    await open();
    const drawn = vi.fn();
    shop.watchSamples(drawn);
    for (let at = 1; at < 5; at += 0.2) {
      world.server.last.says(told(at));
      await pass(200);
    }
    expect(drawn.mock.calls.length).toBeLessThanOrEqual(5);
    world.server.last.ends(1006);
    await pass(2_000);
    world.server.last.says(welcome());
    world.server.last.says(told(7));
    await pass(DRAW_MS + FRAME_MS);
    expect(shop.samples().at(-1)?.afterGap).toBe(true);
    expect(shop.samples().filter(({ afterGap }) => afterGap)).toHaveLength(1);
  });
});
