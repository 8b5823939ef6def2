import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeLive, snapshot, update, welcome } from "../testing/fakes";
import { DESCRIBE_MS, LINGER_MS, NAMED_LIMIT, NAMED_REFRESH_MS } from "./client";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const listen = (): void => undefined;
const described = (id: string) => ({ id, name: id, available_seats: 9, version: 1, price: 5, currency: "EUR" });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("readers", () => {
  it("the first connects, more share, and after the last it closes and leaves nothing behind", async () => {
    const { live, server, page } = fakeLive();
    const leave = [live.watchTours(listen), live.watchTour("a", listen), live.watchStatus(listen)];
    await pass();
    expect(server.sockets).toHaveLength(1);
    for (const go of leave) go();
    await pass(LINGER_MS - 1);
    expect(server.last.closedWith).toBeUndefined();
    await pass(1);
    expect(server.last.closedWith).toBe(1000);
    expect(page.wakes.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    await pass(300_000);
    expect(server.sockets).toHaveLength(1);
  });

  it("leaving and coming back in a moment keeps the connection, as StrictMode does", async () => {
    const { live, server, read } = fakeLive();
    live.watchTours(listen)();
    const leave = live.watchTours(listen);
    await pass(LINGER_MS * 4);
    expect(server.sockets).toHaveLength(1);
    expect(read).toHaveBeenCalledOnce();
    leave();
    leave();
    await pass(LINGER_MS);
    expect(live.status()).toEqual({ kind: "idle" });
  });

  it("coming back later connects anew", async () => {
    const { live, server } = fakeLive();
    live.watchTours(listen)();
    await pass(LINGER_MS);
    live.watchTours(listen);
    await pass();
    expect(server.sockets).toHaveLength(2);
  });
});

describe("snapshots", () => {
  it("one at the start; again after each time away, which closes what was closed meanwhile", async () => {
    const { live, server, read } = fakeLive();
    read.mockResolvedValue(snapshot([described("a"), described("b")]));
    live.watchTours(listen);
    await pass();
    server.last.says(welcome());
    await pass();
    expect(read).toHaveBeenCalledOnce();
    expect(live.tours()).toEqual(["a", "b"]);

    server.last.ends(1006);
    read.mockResolvedValue(snapshot([described("b")]));
    await pass(500);
    server.last.says(welcome());
    server.last.says(update("b", 1, 9));
    await pass();
    expect(read).toHaveBeenCalledTimes(2);
    expect(live.tours()).toEqual(["b"]);
  });

  it("again after RESET, and after a WELCOME of another epoch than the first snapshot's", async () => {
    const { live, server, read } = fakeLive();
    live.watchTours(listen);
    await pass();
    read.mockResolvedValue(snapshot([described("a")], "e2"));
    server.last.says(welcome({ epoch: "e2" }));
    await pass();
    expect(read).toHaveBeenCalledTimes(2);
    expect(live.listState()).toBe("complete");
    read.mockResolvedValue(snapshot([described("a")], "e3"));
    server.last.says({ type: "RESET", epoch: "e3" });
    expect(live.listState()).toBe("loading");
    await pass();
    expect(read).toHaveBeenCalledTimes(3);
    expect(live.listState()).toBe("complete");
  });

  it("once for a tour that only the socket told of, even when the service does not know it", async () => {
    const { live, server, read } = fakeLive();
    live.watchTours(listen);
    await pass();
    server.last.says(welcome());
    server.last.says(update("new", 1, 5));
    server.last.says(update("new", 2, 4));
    await pass(DESCRIBE_MS);
    expect(read).toHaveBeenCalledTimes(2);
    server.last.says(update("new", 3, 3));
    await pass(DESCRIBE_MS * 2);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("a gateway that follows by name is told the names and helped by polling", async () => {
    const { live, server, read } = fakeLive();
    read.mockResolvedValue(snapshot(Array.from({ length: 80 }, (_, at) => described(`t${at}`))));
    live.watchTours(listen);
    await pass();
    server.last.says(welcome({ following: "named" }));
    expect(server.last.sent).toHaveLength(NAMED_LIMIT);
    await pass(NAMED_REFRESH_MS);
    expect(read).toHaveBeenCalledTimes(2);
    expect(server.last.sent).toHaveLength(NAMED_LIMIT);
    server.last.ends(1006);
    await pass(NAMED_REFRESH_MS * 3);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("says when the list is out of reach, and tries at once when asked", async () => {
    const { live, read } = fakeLive();
    read.mockRejectedValue(new Error("down"));
    const wake = vi.fn();
    live.watchStatus(wake);
    await pass();
    expect(live.listState()).toBe("failing");
    expect(wake).toHaveBeenCalled();
    live.retry();
    expect(read).toHaveBeenCalledTimes(2);
  });
});

describe("status", () => {
  it("tells each state, the same object until it changes, and heartbeats are no change", async () => {
    const { live, server, page } = fakeLive();
    const wake = vi.fn();
    live.watchStatus(wake);
    expect(live.status()).toEqual({ kind: "connecting" });
    await pass();
    server.last.says(welcome());
    expect(live.status()).toEqual({ kind: "connected" });
    const calls = wake.mock.calls.length;
    const before = live.status();
    server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    server.last.says(update("a", 1, 1));
    expect(live.status()).toBe(before);
    expect(wake).toHaveBeenCalledTimes(calls);

    server.last.says({ type: "STALE", since: "2026-06-01T10:00:05.000Z" });
    expect(live.status()).toEqual({ kind: "stale", since: "2026-06-01T10:00:05.000Z" });
    server.last.says({ type: "FRESH", since: "2026-06-01T10:00:09.000Z" });
    expect(live.status()).toEqual({ kind: "connected" });

    const lostAt = Date.now();
    server.last.ends(1006);
    expect(live.status()).toEqual({ kind: "reconnecting", retryAt: lostAt + 500, since: lostAt });
    page.isOnline = false;
    page.wake();
    expect(live.status()).toEqual({ kind: "offline", since: lostAt });
    page.isOnline = true;
    await pass(500);
    server.last.ends(1006);
    expect(live.status()).toMatchObject({ kind: "reconnecting", since: lostAt });
    await pass(1_000);
    server.last.says(welcome());
    expect(live.status()).toEqual({ kind: "connected" });
    server.last.ends(4401);
    expect(live.status()).toMatchObject({ kind: "refused", code: 4401 });
  });

  it("STALE of the connection before does not outlive it", async () => {
    const { live, server } = fakeLive();
    live.watchStatus(listen);
    await pass();
    server.last.says(welcome());
    server.last.says({ type: "STALE", since: "2026-06-01T10:00:05.000Z" });
    server.last.ends(1006);
    await pass(500);
    server.last.says(welcome());
    expect(live.status()).toEqual({ kind: "connected" });
  });
});

it("an answer to a booking is learnt in the epoch in which it was asked for", async () => {
  const { live, server } = fakeLive();
  live.watchTours(listen);
  await pass();
  server.last.says(welcome());
  server.last.says(update("a", 1, 9));
  const { epoch } = live;
  live.learn(update("a", 2, 7), epoch);
  expect(live.tour("a")?.availableSeats).toBe(7);
  server.last.says({ type: "RESET", epoch: "e2" });
  live.learn(update("a", 3, 5), epoch);
  expect(live.tour("a")).toBeNull();
});
