import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DESCRIBE_MS, LINGER_MS, NAMED_LIMIT, NAMED_REFRESH_MS } from "./client.js";
import { fakeClient, snapshot, update, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const listen = (): void => undefined;
const described = (id: string) => ({ id, name: id, available_seats: 9, version: 1, price: 5, currency: "EUR" });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("readers", () => {
  it("the first connects, more share, and after the last it closes and leaves nothing behind", async () => {
    const { client, server, page } = fakeClient();
    const leave = [client.watchTours(listen), client.watchTour("a", listen), client.watchStatus(listen)];
    await pass();
    expect(server.sockets).toHaveLength(1);
    for (const go of leave) go();
    await pass(LINGER_MS - 1);
    expect(server.last.closedWith).toBeUndefined();
    await pass(1);
    expect(server.last.closedWith).toBe(1000);
    expect(page.wakes.size).toBe(0);
    await pass(16);
    expect(vi.getTimerCount()).toBe(0);
    await pass(300_000);
    expect(server.sockets).toHaveLength(1);
  });

  it("leaving and coming back in a moment keeps the connection, as StrictMode does", async () => {
    const { client, server, read } = fakeClient();
    client.watchTours(listen)();
    const leave = client.watchTours(listen);
    await pass(LINGER_MS * 4);
    expect(server.sockets).toHaveLength(1);
    expect(read).toHaveBeenCalledOnce();
    leave();
    leave();
    await pass(LINGER_MS);
    expect(client.status()).toEqual({ kind: "idle" });
  });

  it("coming back later connects anew", async () => {
    const { client, server } = fakeClient();
    client.watchTours(listen)();
    await pass(LINGER_MS);
    client.watchTours(listen);
    await pass();
    expect(server.sockets).toHaveLength(2);
  });
});

describe("snapshots", () => {
  it("one at the start; again after each time away, which closes what was closed meanwhile", async () => {
    const { client, server, read } = fakeClient();
    read.mockResolvedValue(snapshot([described("a"), described("b")]));
    client.watchTours(listen);
    await pass();
    server.last.says(welcome());
    await pass();
    expect(read).toHaveBeenCalledOnce();
    expect(client.tours()).toEqual(["a", "b"]);

    server.last.ends(1006);
    read.mockResolvedValue(snapshot([described("b")]));
    await pass(500);
    server.last.says(welcome());
    server.last.says(update("b", 1, 9));
    await pass();
    expect(read).toHaveBeenCalledTimes(2);
    expect(client.tours()).toEqual(["b"]);
  });

  it("again after RESET, and after a WELCOME of another epoch than the first snapshot's", async () => {
    const { client, server, read } = fakeClient();
    client.watchTours(listen);
    await pass();
    read.mockResolvedValue(snapshot([described("a")], "e2"));
    server.last.says(welcome({ epoch: "e2" }));
    await pass();
    expect(read).toHaveBeenCalledTimes(2);
    expect(client.listState()).toBe("complete");
    read.mockResolvedValue(snapshot([described("a")], "e3"));
    server.last.says({ type: "RESET", epoch: "e3" });
    expect(client.listState()).toBe("loading");
    await pass();
    expect(read).toHaveBeenCalledTimes(3);
    expect(client.listState()).toBe("complete");
  });

  it("once for a tour that only the socket told of, even when the service does not know it", async () => {
    const { client, server, read } = fakeClient();
    client.watchTours(listen);
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
    const { client, server, read } = fakeClient();
    read.mockResolvedValue(snapshot(Array.from({ length: 80 }, (_, at) => described(`t${at}`))));
    for (let at = 0; at < 80; at += 1) client.watchTour(`t${at}`, listen);
    await pass();
    server.last.says(welcome({ following: "named" }));
    expect(server.last.sent).toHaveLength(NAMED_LIMIT);
    expect(server.last.sent[0]).toEqual({ type: "SUBSCRIBE", tourId: "t0" });
    await pass(NAMED_REFRESH_MS);
    expect(read).toHaveBeenCalledTimes(2);
    expect(server.last.sent).toHaveLength(NAMED_LIMIT);
    server.last.ends(1006);
    await pass(NAMED_REFRESH_MS * 3);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("says when the list is out of reach, and tries at once when asked", async () => {
    const { client, read } = fakeClient();
    read.mockRejectedValue(new Error("down"));
    const wake = vi.fn();
    client.watchStatus(wake);
    await pass(16);
    expect(client.listState()).toBe("failing");
    expect(wake).toHaveBeenCalled();
    client.retry();
    expect(read).toHaveBeenCalledTimes(2);
  });
});

describe("status", () => {
  it("tells each state, the same object until it changes, and heartbeats are no change", async () => {
    const { client, server, page } = fakeClient();
    const wake = vi.fn();
    client.watchStatus(wake);
    expect(client.status()).toEqual({ kind: "connecting" });
    await pass();
    server.last.says(welcome());
    expect(client.status()).toEqual({ kind: "connected", via: "socket" });
    await pass(16);
    const calls = wake.mock.calls.length;
    const before = client.status();
    server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    server.last.says(update("a", 1, 1));
    await pass(16);
    expect(client.status()).toBe(before);
    expect(wake).toHaveBeenCalledTimes(calls);

    server.last.says({ type: "STALE", since: "2026-06-01T10:00:05.000Z" });
    expect(client.status()).toEqual({ kind: "stale", since: "2026-06-01T10:00:05.000Z", via: "socket" });
    server.last.says({ type: "FRESH", since: "2026-06-01T10:00:09.000Z" });
    expect(client.status()).toEqual({ kind: "connected", via: "socket" });

    const lostAt = Date.now();
    server.last.ends(1006);
    expect(client.status()).toEqual({ kind: "reconnecting", retryAt: lostAt + 500, since: lostAt });
    page.isOnline = false;
    page.wake();
    expect(client.status()).toEqual({ kind: "offline", since: lostAt });
    page.isOnline = true;
    await pass(500);
    server.last.ends(1006);
    expect(client.status()).toMatchObject({ kind: "reconnecting", since: lostAt });
    await pass(1_000);
    server.last.says(welcome());
    expect(client.status()).toEqual({ kind: "connected", via: "socket" });
    server.last.ends(4401);
    expect(client.status()).toMatchObject({ kind: "refused", code: 4401 });
  });

  it("STALE of the connection before does not outlive it", async () => {
    const { client, server } = fakeClient();
    client.watchStatus(listen);
    await pass();
    server.last.says(welcome());
    server.last.says({ type: "STALE", since: "2026-06-01T10:00:05.000Z" });
    server.last.ends(1006);
    await pass(500);
    server.last.says(welcome());
    expect(client.status()).toEqual({ kind: "connected", via: "socket" });
  });
});

it("an answer to a booking is learnt in the epoch in which it was asked for", async () => {
  const { client, server } = fakeClient();
  client.watchTours(listen);
  await pass();
  server.last.says(welcome());
  server.last.says(update("a", 1, 9));
  const { epoch } = client;
  client.learn(update("a", 2, 7), epoch);
  expect(client.tour("a")?.availableSeats).toBe(7);
  server.last.says({ type: "RESET", epoch: "e2" });
  client.learn(update("a", 3, 5), epoch);
  expect(client.tour("a")).toBeNull();
});

describe("channels", () => {
  it("are followed once however many want them, again after each reconnection, and let go after the last", async () => {
    const { client, server } = fakeClient();
    const leave = [client.follow("metrics"), client.follow("metrics"), client.follow("support")];
    await pass();
    expect(server.last.sent).toEqual([]);
    server.last.says(welcome());
    const both = [
      { type: "SUBSCRIBE", channel: "metrics" },
      { type: "SUBSCRIBE", channel: "support" },
    ];
    expect(server.last.sent).toEqual(both);
    server.last.ends(1006);
    leave[0]?.();
    leave[0]?.();
    await pass(500);
    server.last.says(welcome());
    expect(server.last.sent).toEqual(both);
    leave[1]?.();
    expect(server.last.sent.at(-1)).toEqual({ type: "UNSUBSCRIBE", channel: "metrics" });
    client.follow("document:d1");
    expect(server.last.sent.at(-1)).toEqual({ type: "SUBSCRIBE", channel: "document:d1" });
  });

  it("a reader of one tour does not narrow a connection that follows all of them", async () => {
    const { client, server } = fakeClient();
    client.watchTour("a", listen);
    await pass();
    server.last.says(welcome());
    expect(server.last.sent).toEqual([]);
    expect(server.last.query.toString()).toBe("");
  });

  it("a page that follows what is watched says so in the address, and then by name", async () => {
    const { client, server } = fakeClient({ tours: "watched", language: () => "en" });
    const leave = client.watchTour("a", listen);
    client.watchTour("b", listen);
    await pass();
    expect(Object.fromEntries(server.last.query)).toEqual({ tours: "a,b", lang: "en" });
    server.last.says(welcome({ following: "named" }));
    expect(server.last.sent).toEqual([]);
    client.watchTour("c", listen);
    leave();
    expect(server.last.sent).toEqual([
      { type: "SUBSCRIBE", tourId: "c" },
      { type: "UNSUBSCRIBE", tourId: "a" },
    ]);
  });
});

describe("a page that is left", () => {
  it("closes the connection at once, and is told as such what it shows; shown again, it connects and reads anew", async () => {
    const { client, server, page, read } = fakeClient();
    client.watchTours(listen);
    await pass();
    server.last.says(welcome());
    await pass(2_000);
    page.leave();
    expect(server.last.closedWith).toBe(1000);
    expect(client.status()).toMatchObject({ kind: "reconnecting", since: Date.now() });
    const reads = read.mock.calls.length;
    page.wake();
    await pass();
    server.last.says(welcome());
    await pass();
    expect(server.sockets).toHaveLength(2);
    expect(client.status().kind).toBe("connected");
    expect(read.mock.calls.length).toBe(reads + 1);
  });
});

describe("messages", () => {
  const booked = (messageId: string) => ({ type: "BOOKING_CONFIRMED", bookingId: messageId, messageId });
  const said = (messageId: string, conversationId: string) => ({ type: "CHAT_MESSAGE", messageId, conversationId });

  it("go on since the first connection where there were none", async () => {
    const { client, server } = fakeClient();
    client.on("BOOKING_CONFIRMED", () => undefined);
    await pass();
    server.last.says(welcome({ userId: "ana", serverTime: "2026-06-01T10:00:00.000Z" }));
    server.last.ends(1006);
    await pass(500);
    expect(server.last.query.get("since")).toBe("2026-06-01T10:00:00.000Z");
    server.last.says(welcome({ userId: "ana", resumed: true, serverTime: "2026-06-01T10:00:05.000Z" }));
    server.last.says(booked("m1"));
    server.last.ends(1006);
    await pass(2_000);
    expect(server.last.query.get("since")).toBe("m1,2026-06-01T10:00:00.000Z");
  });

  it("go on after a reconnection from the last of each stream, and none is told twice", async () => {
    const { client, server } = fakeClient();
    const heard: string[] = [];
    client.on("BOOKING_CONFIRMED", ({ messageId }) => heard.push(messageId ?? ""));
    client.on("CHAT_MESSAGE", ({ messageId }) => heard.push(messageId ?? ""));
    await pass();
    expect(server.last.query.has("since")).toBe(false);
    server.last.says(welcome({ userId: "agent" }));
    for (const frame of [booked("m1"), said("m2", "agent"), said("s1", "traveller"), said("s2", "other")]) {
      server.last.says(frame);
    }
    server.last.ends(1006);
    await pass(500);
    expect(server.last.query.get("since")).toBe("m2,s2");
    server.last.says(welcome({ userId: "agent", resumed: true }));
    server.last.says(said("s2", "other"));
    server.last.says(booked("m3"));
    expect(heard).toEqual(["m1", "m2", "s1", "s2", "m3"]);
  });

  it("eventId counts where there is no messageId; what has neither is told each time", async () => {
    const { client, server } = fakeClient();
    const heard = vi.fn();
    client.on("HOLD_EXPIRED", heard);
    await pass();
    server.last.says(welcome());
    server.last.says({ type: "HOLD_EXPIRED", eventId: "e1" });
    server.last.says({ type: "HOLD_EXPIRED", eventId: "e1" });
    server.last.says({ type: "HOLD_EXPIRED" });
    server.last.says({ type: "HOLD_EXPIRED" });
    expect(heard).toHaveBeenCalledTimes(3);
  });

  it("of a type that this version does not know reach whoever listens to it", async () => {
    const { client, server } = fakeClient();
    const heard = vi.fn();
    client.on("DANCE", heard);
    await pass();
    server.last.says({ type: "DANCE", steps: 3 });
    expect(heard).toHaveBeenCalledExactlyOnceWith({ type: "DANCE", steps: 3 });
  });

  it("a handler that throws stops neither the others nor the connection", async () => {
    const { client, server } = fakeClient();
    const heard = vi.fn();
    const thrown = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((run) => {
      expect(run).toThrow("fault");
    });
    client.on("RANDOM_NUMBER", () => {
      throw new Error("fault");
    });
    client.on("RANDOM_NUMBER", heard);
    await pass();
    server.last.says(welcome());
    server.last.says({ type: "RANDOM_NUMBER", value: 1, timestamp: "" });
    expect(heard).toHaveBeenCalledOnce();
    expect(thrown).toHaveBeenCalledOnce();
    expect(client.status().kind).toBe("connected");
    thrown.mockRestore();
  });

  it("somebody else who signs in does not go on from the messages of the one before", async () => {
    const { client, server } = fakeClient();
    client.on("BOOKING_CONFIRMED", listen);
    await pass();
    server.last.says(welcome({ userId: "ann" }));
    server.last.says(booked("m1"));
    client.renew();
    await pass();
    expect(server.sockets).toHaveLength(2);
    expect(server.last.query.has("since")).toBe(false);
    server.last.says(welcome({ userId: "bob" }));
    expect(client.userId()).toBe("bob");
  });
});
