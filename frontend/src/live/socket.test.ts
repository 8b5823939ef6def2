import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clock, FakeServer, update, welcome } from "../testing/fakes";
import { Backoff } from "./backoff";
import { BREATH_MS, CONNECT_MS, LiveSocket, PROBE_MS, SLACK_MS, type SocketOptions, STABLE_MS } from "./socket";

let server: FakeServer;
let socket: LiveSocket;
let random: number;
const frames = vi.fn();
const states = vi.fn();

function make(more: Partial<SocketOptions> = {}): LiveSocket {
  return new LiveSocket({
    url: async () => "ws://test/",
    open: server.open,
    clock,
    random: () => random,
    backoff: new Backoff(() => random),
    onFrame: frames,
    onState: states,
    ...more,
  });
}

/** Let promises settle and timers that are due run. */
const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function connected(): Promise<void> {
  socket.start();
  await pass();
  server.last.says(welcome());
}

beforeEach(() => {
  vi.useFakeTimers();
  frames.mockReset();
  states.mockReset();
  server = new FakeServer();
  random = 0.5;
  socket = make();
});

afterEach(() => {
  socket.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("connecting", () => {
  it("is connected from WELCOME on, not from the handshake", async () => {
    socket.start();
    await pass();
    expect(socket.state.kind).toBe("connecting");
    expect(socket.send({ type: "PING" })).toBe(false);
    server.last.says(welcome());
    expect(socket.state.kind).toBe("connected");
    expect(frames).toHaveBeenCalledWith(welcome());
    expect(socket.send({ type: "PING" })).toBe(true);
  });

  it("hands over frames in order and leaves out what is none", async () => {
    await connected();
    server.last.says(update("a", 1, 5));
    server.last.says("nonsense");
    server.last.says({ type: "DANCE" });
    server.last.says(update("a", 2, 4));
    expect(frames.mock.calls.map(([frame]) => frame.version)).toEqual([undefined, 1, 2]);
  });

  it("starting twice is starting once", async () => {
    socket.start();
    socket.start();
    await pass();
    expect(server.sockets).toHaveLength(1);
  });

  it("gives up an attempt without WELCOME and tries again", async () => {
    socket.start();
    await pass();
    const first = server.last;
    await pass(CONNECT_MS);
    expect(first.abandoned).toBe(true);
    expect(socket.state.kind).toBe("waiting");
    await pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  const broken: [string, Partial<SocketOptions>][] = [
    ["the address cannot be had", { url: async () => Promise.reject(new Error("no")) }],
    [
      "the browser refuses to open it",
      {
        open: () => {
          throw new SyntaxError("bad URL");
        },
      },
    ],
  ];
  it.each(broken)("waits and tries again when %s", async (_, options) => {
    socket = make(options);
    socket.start();
    await pass();
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + 500 });
    await pass(500);
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + 1_000 });
  });

  it("an address that comes after stop opens nothing", async () => {
    let answer: (url: string) => void = () => undefined;
    socket = make({ url: () => new Promise((resolve) => (answer = resolve)) });
    socket.start();
    socket.stop();
    answer("ws://late/");
    await pass();
    expect(server.sockets).toHaveLength(0);
  });
});

describe("coming back", () => {
  it("waits longer each time, up to 30 s, and forgets it only after a stable connection", async () => {
    await connected();
    const waits: number[] = [];
    for (let lost = 0; lost < 8; lost += 1) {
      server.last.ends(1006);
      if (socket.state.kind !== "waiting") throw new Error("not waiting");
      waits.push(socket.state.retryAt - Date.now());
      await pass(waits.at(-1));
      // Connected, but not for long: that is no reason to forget.
      server.last.says(welcome());
      await pass(STABLE_MS - 1);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    await pass(1);
    server.last.ends(1006);
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + 500 });
  });

  it("a socket that was given up has no voice", async () => {
    await connected();
    const old = server.last;
    const { onmessage, onclose } = old;
    old.ends(1006);
    await pass(500);
    server.last.says(welcome());
    expect(onmessage).not.toBeNull();
    expect(onclose).not.toBeNull();
    expect(old.abandoned).toBe(true);
    old.says(update("a", 1, 5));
    old.ends(4401);
    expect(frames).toHaveBeenCalledTimes(2);
    expect(socket.state.kind).toBe("connected");
  });

  it("stop closes with 1000, leaves no timer and never reconnects", async () => {
    await connected();
    socket.stop();
    expect(server.last.closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    await pass(120_000);
    expect(server.sockets).toHaveLength(1);
    expect(socket.state.kind).toBe("idle");
  });

  it("stop while waiting never reconnects either", async () => {
    await connected();
    server.last.ends(1006);
    socket.stop();
    expect(vi.getTimerCount()).toBe(0);
    await pass(120_000);
    expect(server.sockets).toHaveLength(1);
  });
});

describe("what the server asks", () => {
  it("RECONNECT's slot is used, counted from when it was said", async () => {
    await connected();
    server.last.says({ type: "RECONNECT", afterMs: 4_000 });
    await pass(1_000);
    server.last.ends(1012);
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + 3_000 });
  });

  it("a slot that has passed is now", async () => {
    await connected();
    server.last.says({ type: "RECONNECT", afterMs: 1_000 });
    await pass(2_000);
    server.last.ends(1001);
    await pass();
    expect(server.sockets).toHaveLength(2);
  });

  it("1012 without a slot waits a random 0 to 5 s", async () => {
    random = 0.9;
    await connected();
    server.last.ends(1012);
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + 4_500 });
  });

  it.each([1003, 4401, 4403])("%i stops: no loop, also not on waking", async (code) => {
    await connected();
    server.last.ends(code);
    expect(socket.state).toEqual({ kind: "stopped", code });
    await pass(300_000);
    socket.wake();
    await pass();
    expect(server.sockets).toHaveLength(1);
    socket.retry();
    await pass();
    expect(server.sockets).toHaveLength(2);
  });

  it.each([1013, 4429])("%i is never answered at once", async (code) => {
    random = 0;
    await connected();
    server.last.ends(code);
    expect(socket.state).toEqual({ kind: "waiting", retryAt: Date.now() + BREATH_MS });
  });
});

describe("silence", () => {
  const SILENCE = 2 * 20_000 + SLACK_MS;

  it("asks with a PING after two heartbeats, and gives up when nothing comes", async () => {
    await connected();
    const { sent } = server.last;
    await pass(SILENCE - 1);
    expect(sent).toEqual([]);
    await pass(1);
    expect(sent).toEqual([{ type: "PING" }]);
    await pass(PROBE_MS);
    expect(socket.state.kind).toBe("waiting");
    expect(server.last.closedWith).toBe(1000);
  });

  it("any frame is a sign of life, before and after the PING", async () => {
    await connected();
    await pass(SILENCE - 1_000);
    server.last.says(update("a", 1, 5));
    await pass(SILENCE - 1);
    expect(server.last.sent).toEqual([]);
    await pass(1);
    server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    await pass(PROBE_MS);
    expect(socket.state.kind).toBe("connected");
    await pass(SILENCE);
    expect(server.last.sent).toHaveLength(2);
  });
});

describe("waking", () => {
  it("while waiting connects at once", async () => {
    await connected();
    for (const wait of [500, 1_000, 2_000]) {
      server.last.ends(1006);
      await pass(wait);
    }
    server.last.ends(1006);
    await pass(BREATH_MS);
    expect(socket.state.kind).toBe("waiting");
    socket.wake();
    await pass();
    expect(server.sockets).toHaveLength(5);
  });

  it("again and again does not hammer, and is not forgotten either", async () => {
    random = 0.999;
    await connected();
    for (const wait of [999, 1_998]) {
      server.last.ends(1006);
      await pass(wait);
    }
    server.last.ends(1006);
    for (let wakes = 0; wakes < 50; wakes += 1) socket.wake();
    await pass(BREATH_MS - 1);
    expect(server.sockets).toHaveLength(3);
    await pass(1);
    expect(server.sockets).toHaveLength(4);
  });

  it("while connected probes, once at a time, and a dead connection is replaced", async () => {
    await connected();
    socket.wake();
    socket.wake();
    expect(server.last.sent).toEqual([{ type: "PING" }]);
    await pass(PROBE_MS);
    expect(socket.state.kind).toBe("waiting");
  });

  it("while connected and answered changes nothing", async () => {
    await connected();
    socket.wake();
    server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    await pass(PROBE_MS);
    expect(socket.state.kind).toBe("connected");
    expect(states).toHaveBeenCalledTimes(2);
  });

  it("while idle or connecting does nothing", async () => {
    socket.wake();
    socket.retry();
    expect(server.sockets).toHaveLength(0);
    socket.start();
    socket.wake();
    await pass();
    expect(server.sockets).toHaveLength(1);
  });
});
