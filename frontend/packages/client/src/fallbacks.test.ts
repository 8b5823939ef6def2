import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fallbacks, POLL_PAUSE_MS, UPGRADE_MS } from "./fallbacks.js";
import type { SocketLike } from "./link.js";
import { clock, FakeServer, update, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();
let open: ReturnType<typeof fallbacks>;
let heard: unknown[];
let roads: SocketLike[];
let closed: number[];
let server: FakeServer;

function listen(socket: SocketLike): SocketLike {
  socket.onmessage = ({ data }) => heard.push(data === "" ? "" : JSON.parse(data as string));
  socket.onclose = ({ code }) => closed.push(code);
  roads.push(socket);
  return socket;
}
const start = (via: "stream" | "poll", token: string | null = null, query = ""): SocketLike =>
  listen(open(via, token, new URLSearchParams(query), () => server.open("socket", token)));
const asked = (at: number): URL => new URL(fetched.mock.calls[at]?.[0] ?? "", "http://x");

beforeEach(() => {
  vi.useFakeTimers();
  fetched.mockReset();
  heard = [];
  roads = [];
  closed = [];
  server = new FakeServer();
  open = fallbacks({ fetch: fetched as unknown as typeof fetch, clock, random: () => 0.5, url: "/live" });
});
afterEach(() => {
  for (const road of roads) road.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("whoever is refused", () => {
  it.each([
    [401, 4401],
    [403, 4403],
    [429, 4429],
    [503, 1013],
    [502, 1006],
  ])("with %i has been closed with %i", async (status, code) => {
    fetched.mockResolvedValue(new Response("", { status }));
    start("stream");
    start("poll");
    await pass();
    expect(closed).toEqual([code, code]);
  });

  it("a network that lets nothing through is a close as well", async () => {
    fetched.mockRejectedValue(new TypeError("failed to fetch"));
    start("stream");
    await pass();
    expect(closed).toEqual([1006]);
  });
});

describe("a stream", () => {
  function streamed(): { say: (text: string) => Promise<unknown>; end: () => void } {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    fetched.mockImplementationOnce(async (_, { signal }) => {
      signal?.addEventListener("abort", () => void writer.abort().catch(() => undefined));
      return new Response(readable);
    });
    return {
      async say(text) {
        void writer.write(new TextEncoder().encode(text)).catch(() => undefined);
        return pass();
      },
      end: () => void writer.close(),
    };
  }

  it("says each event's data, in whatever pieces it comes; comments are signs of life", async () => {
    const { say, end } = streamed();
    start("stream", "secret", "tours=a");
    await pass();
    expect(asked(0).pathname).toBe("/live/stream");
    expect(asked(0).search).toBe("?tours=a");
    expect(fetched.mock.calls[0]?.[1].headers).toEqual({ Authorization: "Bearer secret" });
    await say('retry: 1500\n\ndata: {"a":');
    expect(heard).toEqual([""]);
    await say('"é"}\n\n:\n\nda');
    expect(heard).toEqual(["", { a: "é" }, ""]);
    await say('ta: {"b":1}\nid: c1\n\n');
    expect(heard.at(-1)).toEqual({ b: 1 });
    end();
    await pass();
    expect(closed).toEqual([1006]);
  });

  it("goes on from its last id, as does a poll after it; an empty id takes it back", async () => {
    const first = streamed();
    const socket = start("stream");
    await first.say('data: {"a":1}\nid: c1\n\n');
    socket.close();
    const second = streamed();
    const other = start("stream");
    await pass();
    expect(asked(1).searchParams.get("since")).toBe("c1");
    await second.say("data: {}\nid: \n\n");
    other.close();
    streamed();
    start("stream").close();
    expect(asked(2).searchParams.has("since")).toBe(false);
  });

  it("that is given up says nothing more", async () => {
    const { say } = streamed();
    const socket = start("stream");
    await pass();
    socket.onmessage = socket.onclose = null;
    socket.close();
    await say("data: {}\n\n");
    expect(fetched.mock.calls[0]?.[1].signal?.aborted).toBe(true);
    expect(heard).toEqual([]);
  });
});

describe("a poll", () => {
  const answer = (more: object): Response =>
    new Response(
      JSON.stringify({ epoch: "e1", cursor: "c1", reset: false, following: "all", messages: [], ...more }),
    );

  it("welcomes with what the first answer says, then waits for news from its cursor", async () => {
    fetched.mockResolvedValueOnce(answer({ reset: true, messages: [update("a", 1, 5)] }));
    fetched.mockResolvedValueOnce(answer({ cursor: "c2", messages: [update("a", 2, 4)] }));
    fetched.mockImplementation(() => new Promise(() => undefined));
    const socket = start("poll");
    await pass();
    expect(heard).toMatchObject([
      { type: "WELCOME", epoch: "e1", following: "all", resumed: false },
      { type: "AVAILABILITY_UPDATE", version: 1 },
      "",
    ]);
    expect(asked(0).search).toBe("");
    heard = [];
    await pass(POLL_PAUSE_MS);
    expect(Object.fromEntries(asked(1).searchParams)).toEqual({ since: "c1", wait: "25" });
    expect(heard).toMatchObject([{ type: "AVAILABILITY_UPDATE", version: 2 }, ""]);
    await pass(POLL_PAUSE_MS);
    expect(asked(2).searchParams.get("since")).toBe("c2");
    socket.close();
  });

  it("welcomes again when a whole list begins anew", async () => {
    fetched.mockResolvedValueOnce(answer({}));
    fetched.mockResolvedValueOnce(answer({ epoch: "e2", reset: true }));
    const socket = start("poll");
    await pass(POLL_PAUSE_MS);
    socket.close();
    await pass();
    expect(heard).toMatchObject([{ resumed: true }, "", { type: "WELCOME", epoch: "e2", resumed: false }, ""]);
  });

  it("tells when the source is lost and regained", async () => {
    fetched.mockResolvedValueOnce(answer({}));
    fetched.mockResolvedValueOnce(answer({ staleSince: "2026-06-01T10:00:05.000Z" }));
    fetched.mockResolvedValueOnce(answer({ staleSince: "2026-06-01T10:00:05.000Z" }));
    fetched.mockResolvedValueOnce(answer({}));
    const socket = start("poll");
    await pass(3 * POLL_PAUSE_MS);
    socket.close();
    await pass();
    const types = heard.map((frame) => (frame as { type?: string }).type).filter(Boolean);
    expect(types).toEqual(["WELCOME", "STALE", "FRESH"]);
  });
});

describe("a WebSocket beside it", () => {
  let road: SocketLike;
  beforeEach(async () => {
    fetched.mockImplementation((_, { signal }) => {
      return new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("given up"))));
    });
    road = start("stream");
    await pass(UPGRADE_MS);
  });
  const carrying = (): boolean => fetched.mock.calls[0]?.[1].signal?.aborted === false;

  it("is tried now and then; while it does not get through, nothing changes", async () => {
    server.last.ends(1006);
    await pass(2 * UPGRADE_MS);
    expect(server.sockets).toHaveLength(3);
    expect(carrying()).toBe(true);
    expect(road.via).toBe("stream");
    expect(closed).toEqual([]);
  });

  it("carries from the moment it is welcomed, without a gap", async () => {
    server.last.says(welcome());
    expect(heard).toEqual([welcome()]);
    expect(road.via).toBe("socket");
    expect(carrying()).toBe(false);
    road.send('{"type":"PING"}');
    expect(server.last.sent).toEqual([{ type: "PING" }]);
    server.last.says(update("a", 1, 5));
    expect(heard).toHaveLength(2);
    await pass(5 * UPGRADE_MS);
    expect(server.sockets).toHaveLength(1);
    server.last.ends(1012);
    expect(closed).toEqual([1012]);
  });

  it("is tried at once when the page wakes, in place of one that hangs", async () => {
    const hung = server.last;
    road.wake?.();
    await pass();
    expect(server.sockets).toHaveLength(2);
    expect(hung.abandoned).toBe(true);
    expect(hung.closedWith).toBe(1000);
  });

  it("that comes after the road was left is closed again", async () => {
    road.wake?.();
    road.close();
    await pass();
    expect(server.last.closedWith).toBe(1000);
    expect(carrying()).toBe(false);
  });
});
