import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clock, FakeServer, update, welcome } from "./testing/fakes.js";
import { Backoff } from "./backoff.js";
import { BREATH_MS, CONNECT_MS, Link, type LinkOptions, PROBE_MS, SLACK_MS, STABLE_MS } from "./link.js";

let server: FakeServer;
let link: Link;
let random: number;
const frames = vi.fn();
const states = vi.fn();

function make(more: Partial<LinkOptions> = {}): Link {
  return new Link({
    token: async () => null,
    open: server.open,
    roads: ["socket"],
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

/** Wait as long as the link says, and let it try. */
async function nextAttempt(): Promise<void> {
  if (link.state.kind !== "waiting") throw new Error(`${link.state.kind}, not waiting`);
  await pass(link.state.retryAt - Date.now());
}

async function connected(): Promise<void> {
  link.start();
  await pass();
  server.last.says(welcome());
}

beforeEach(() => {
  vi.useFakeTimers();
  frames.mockReset();
  states.mockReset();
  server = new FakeServer();
  random = 0.5;
  link = make();
});

afterEach(() => {
  link.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("connecting", () => {
  it("is connected from WELCOME on, not from the handshake", async () => {
    link.start();
    await pass();
    expect(link.state.kind).toBe("connecting");
    expect(link.send({ type: "PING" })).toBe(false);
    server.last.says(welcome());
    expect(link.state.kind).toBe("connected");
    expect(frames).toHaveBeenCalledWith(welcome());
    expect(link.send({ type: "PING" })).toBe(true);
  });

  it("hands over frames in order, of unknown types too, and leaves out what is none", async () => {
    await connected();
    server.last.says(update("a", 1, 5));
    server.last.says("nonsense");
    server.last.says({ type: "DANCE" });
    server.last.says(update("a", 2, 4));
    expect(frames.mock.calls.map(([frame]) => frame.version)).toEqual([undefined, 1, undefined, 2]);
  });

  it("starting twice is starting once", async () => {
    link.start();
    link.start();
    await pass();
    expect(server.sockets).toHaveLength(1);
  });

  it("gives up an attempt without WELCOME and tries again", async () => {
    link.start();
    await pass();
    const first = server.last;
    await pass(CONNECT_MS);
    expect(first.abandoned).toBe(true);
    expect(link.state.kind).toBe("waiting");
    await pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  const broken: [string, Partial<LinkOptions>][] = [
    ["the token cannot be had", { token: async () => Promise.reject(new Error("no")) }],
    [
      "the browser refuses to open it",
      {
        open: async () => {
          throw new SyntaxError("bad URL");
        },
      },
    ],
  ];
  it.each(broken)("waits and tries again when %s", async (_, options) => {
    link = make(options);
    link.start();
    await pass();
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + 500 });
    await pass(500);
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + 1_000 });
  });

  it("a token that comes after stop opens nothing", async () => {
    let answer: (token: string) => void = () => undefined;
    link = make({ token: () => new Promise((resolve) => (answer = resolve)) });
    link.start();
    link.stop();
    answer("late");
    await pass();
    expect(server.sockets).toHaveLength(0);
  });

  it("a socket that comes after stop is closed again", async () => {
    let answer: () => void = () => undefined;
    link = make({
      open: (via, token) => new Promise((resolve) => (answer = () => resolve(server.open(via, token)))),
    });
    link.start();
    await pass();
    link.stop();
    answer();
    await pass();
    expect(server.last.closedWith).toBe(1000);
    expect(server.last.abandoned).toBe(true);
  });
});

describe("coming back", () => {
  it("waits longer each time, up to 30 s, and forgets it only after a stable connection", async () => {
    await connected();
    const waits: number[] = [];
    for (let lost = 0; lost < 8; lost += 1) {
      server.last.ends(1006);
      if (link.state.kind !== "waiting") throw new Error("not waiting");
      waits.push(link.state.retryAt - Date.now());
      await pass(waits.at(-1));
      // Connected, but not for long: that is no reason to forget.
      server.last.says(welcome());
      await pass(STABLE_MS - 1);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    await pass(1);
    server.last.ends(1006);
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + 500 });
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
    expect(link.state.kind).toBe("connected");
  });

  it("stop closes with 1000, leaves no timer and never reconnects", async () => {
    await connected();
    link.stop();
    expect(server.last.closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    await pass(120_000);
    expect(server.sockets).toHaveLength(1);
    expect(link.state.kind).toBe("idle");
  });

  it("stop while waiting never reconnects either", async () => {
    await connected();
    server.last.ends(1006);
    link.stop();
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
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + 3_000 });
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
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + 4_500 });
  });

  it.each([1003, 4401, 4403])("%i stops: no loop, also not on waking", async (code) => {
    await connected();
    server.last.ends(code);
    expect(link.state).toEqual({ kind: "stopped", code });
    await pass(300_000);
    link.wake();
    await pass();
    expect(server.sockets).toHaveLength(1);
    link.retry();
    await pass();
    expect(server.sockets).toHaveLength(2);
  });

  it.each([1013, 4429])("%i is never answered at once", async (code) => {
    random = 0;
    await connected();
    server.last.ends(code);
    expect(link.state).toEqual({ kind: "waiting", retryAt: Date.now() + BREATH_MS });
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
    expect(link.state.kind).toBe("waiting");
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
    expect(link.state.kind).toBe("connected");
    await pass(SILENCE);
    expect(server.last.sent).toHaveLength(2);
  });
});

describe("freshness", () => {
  it("lasts as long as a silence is no reason for doubt, whatever timers have been able to run since", async () => {
    await connected();
    const heard = Date.now();
    expect(link.freshUntil).toBe(heard + 2 * 20_000 + SLACK_MS + PROBE_MS);
    // Asleep: the clock goes on, and nothing runs.
    vi.setSystemTime(heard + 3_600_000);
    expect(link.state.kind).toBe("connected");
    expect(link.freshUntil).toBeLessThan(Date.now());
    link.wake();
    server.last.says({ type: "PONG", serverTime: "2026-06-01T11:00:00.000Z" });
    expect(link.freshUntil).toBeGreaterThan(Date.now());
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
    expect(link.state.kind).toBe("waiting");
    link.wake();
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
    for (let wakes = 0; wakes < 50; wakes += 1) link.wake();
    await pass(BREATH_MS - 1);
    expect(server.sockets).toHaveLength(3);
    await pass(1);
    expect(server.sockets).toHaveLength(4);
  });

  it("while connected probes, once at a time, and a dead connection is replaced", async () => {
    await connected();
    link.wake();
    link.wake();
    expect(server.last.sent).toEqual([{ type: "PING" }]);
    await pass(PROBE_MS);
    expect(link.state.kind).toBe("waiting");
  });

  it("while connected and answered changes nothing", async () => {
    await connected();
    link.wake();
    server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:00.000Z" });
    await pass(PROBE_MS);
    expect(link.state.kind).toBe("connected");
    expect(states).toHaveBeenCalledTimes(2);
  });

  it("after the page was left connects at once: the socket is given up with it", async () => {
    await connected();
    link.leave();
    expect(server.last.closedWith).toBe(1000);
    expect(link.state.kind).toBe("waiting");
    await pass(BREATH_MS);
    link.wake();
    await pass();
    expect(server.sockets).toHaveLength(2);
  });

  it("leaving while nothing is open puts nothing off", async () => {
    await connected();
    server.last.ends(1006);
    const before = link.state;
    link.leave();
    expect(link.state).toBe(before);
  });

  it("while idle or connecting does nothing", async () => {
    link.wake();
    link.retry();
    expect(server.sockets).toHaveLength(0);
    link.start();
    link.wake();
    await pass();
    expect(server.sockets).toHaveLength(1);
  });
});

describe("other roads", () => {
  beforeEach(() => {
    link = make({ roads: ["socket", "stream", "poll"] });
  });

  it("a WebSocket that never gets through is given up for a stream, and that for polling", async () => {
    link.start();
    await pass();
    server.last.ends(1006);
    await pass(500);
    server.last.ends(1006);
    await pass(1_000);
    server.last.ends(1006);
    await pass(2_000);
    expect(server.sockets.map(({ via }) => via)).toEqual(["socket", "socket", "stream", "poll"]);
    server.last.says(welcome());
    expect(link.state).toEqual({ kind: "connected", via: "poll" });
    expect(link.send({ type: "PING" })).toBe(false);
  });

  it("one that swallows the attempt is given up at once", async () => {
    link.start();
    await pass(CONNECT_MS + 500);
    expect(server.last.via).toBe("stream");
  });

  it("when nothing gets through the WebSocket's turn comes again", async () => {
    link.start();
    await pass();
    for (let failed = 0; failed < 6; failed += 1) {
      server.last.ends(1006);
      await nextAttempt();
    }
    expect(server.sockets.map(({ via }) => via)).toEqual([
      ...["socket", "socket", "stream", "poll"],
      ...["socket", "socket", "stream"],
    ]);
  });

  it("where one has got through before, it takes longer to give up: the server may be restarting", async () => {
    await connected();
    for (let failed = 0; failed < 5; failed += 1) {
      server.last.ends(1006);
      await nextAttempt();
      expect(server.last.via).toBe("socket");
    }
    server.last.ends(1006);
    await nextAttempt();
    expect(server.last.via).toBe("stream");
  });

  async function streaming(): Promise<FakeServer["last"]> {
    link.start();
    await pass(CONNECT_MS + 500);
    server.last.says(welcome());
    expect(link.state).toEqual({ kind: "connected", via: "stream" });
    return server.last;
  }

  it("one that turns into a WebSocket is one from its WELCOME on, and the first road next time", async () => {
    const stream = await streaming();
    Object.assign(stream, { via: "socket" });
    expect(link.send({ type: "PING" })).toBe(false);
    stream.says(welcome());
    expect(link.state).toEqual({ kind: "connected", via: "socket" });
    expect(link.send({ type: "PING" })).toBe(true);
    stream.ends(1006);
    await nextAttempt();
    expect(server.last.via).toBe("socket");
  });

  it("a wake has it look for a better one; one that has long been silent is replaced", async () => {
    const stream = Object.assign(await streaming(), { wake: vi.fn() });
    link.wake();
    expect(stream.wake).toHaveBeenCalledOnce();
    expect(stream.abandoned).toBe(false);
    vi.setSystemTime(Date.now() + 3_600_000);
    link.wake();
    expect(link.state.kind).toBe("waiting");
  });

  it("a stream is not probed with a PING; its comments are signs of life", async () => {
    const stream = await streaming();
    for (let beats = 0; beats < 10; beats += 1) {
      await pass(20_000);
      stream.says(": alive");
    }
    expect(link.state).toEqual({ kind: "connected", via: "stream" });
    await pass(2 * 20_000 + SLACK_MS + PROBE_MS);
    expect(link.state.kind).not.toBe("connected");
    expect(stream.sent).toEqual([]);
  });

  it("a road that was lost after it worked is tried again first", async () => {
    const stream = await streaming();
    stream.ends(1006);
    await nextAttempt();
    expect(server.last.via).toBe("stream");
    expect(server.last).not.toBe(stream);
  });
});

describe("tokens", () => {
  const tokens = vi.fn<() => Promise<string | null>>();
  beforeEach(() => {
    tokens.mockReset();
    link = make({ token: tokens });
  });

  it("is asked at each attempt", async () => {
    tokens.mockResolvedValueOnce("t1").mockResolvedValueOnce("t2");
    await connected();
    server.last.ends(1006);
    await pass(500);
    expect(server.sockets.map(({ token }) => token)).toEqual(["t1", "t2"]);
  });

  it("4401 asks for another at once, and stops when that is refused as well", async () => {
    tokens.mockResolvedValueOnce("old").mockResolvedValueOnce("new").mockResolvedValue("newer");
    link.start();
    await pass();
    server.last.ends(4401);
    await pass();
    expect(server.last.token).toBe("new");
    server.last.ends(4401);
    await pass(300_000);
    expect(link.state).toEqual({ kind: "stopped", code: 4401 });
    expect(server.sockets).toHaveLength(2);
  });

  it("4401 with the same token again stops without an attempt", async () => {
    tokens.mockResolvedValue("same");
    link.start();
    await pass();
    server.last.ends(4401);
    await pass(300_000);
    expect(link.state).toEqual({ kind: "stopped", code: 4401 });
    expect(server.sockets).toHaveLength(1);
  });

  it("one that expires after an hour is replaced each time", async () => {
    let asked = 0;
    tokens.mockImplementation(async () => `t${(asked += 1)}`);
    link.start();
    for (let hours = 0; hours < 3; hours += 1) {
      await pass();
      server.last.says(welcome());
      await pass(STABLE_MS);
      server.last.ends(4401);
    }
    await pass();
    expect(server.last.token).toBe("t4");
  });

  it("a person who tries again, or signs in, is not held to what was refused", async () => {
    tokens.mockResolvedValue("same");
    link.start();
    await pass();
    server.last.ends(4401);
    await pass();
    link.retry();
    await pass();
    expect(server.sockets).toHaveLength(2);
    server.last.says(welcome());
    link.renew();
    await pass();
    expect(server.sockets).toHaveLength(3);
    expect(server.sockets[1]?.closedWith).toBe(1000);
  });
});
