/**
 * The other roads (docs/fallbacks.md), dressed as sockets: Server-Sent Events and long polling, both through `fetch`,
 * which unlike `EventSource` shows the status of a refusal and the comments that are signs of life, and keeps tokens out
 * of addresses. Now and then they look whether a WebSocket gets through, and turn into it.
 */
import type { Clock } from "./backoff.js";
import type { Live, ServerFrame } from "./frames.js";
import type { SocketLike } from "./link.js";
import type { Via } from "./roads.js";
import { FORBIDDEN, RATE_LIMITED, TRY_AGAIN_LATER, UNAUTHENTICATED } from "./wire.js";

export interface FallbackOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: () => number;
  /** Where the snapshot is: `.../api/tours/availability`. */
  readonly url: string;
}

/** How long a poll may wait for news, and the pause between two. */
export const POLL_SECONDS = 25;
export const POLL_PAUSE_MS = 1_000;
/** How often to look whether a WebSocket gets through; half as much and half again, at random. */
export const UPGRADE_MS = 60_000;
/** What a poll cannot tell: how long a silence is too long. */
const HEARTBEAT_SECONDS = 20;
const ABNORMAL = 1006;

const CODES: Readonly<Record<number, number>> = {
  401: UNAUTHENTICATED,
  403: FORBIDDEN,
  429: RATE_LIMITED,
  503: TRY_AGAIN_LATER,
};

type Say = (data: string) => void;
/** Says what comes, and resolves to the code that a WebSocket would have been closed with. */
type Run = (say: Say, signal: AbortSignal) => Promise<number>;

function socketOf(run: Run): SocketLike {
  const giveUp = new AbortController();
  const socket: SocketLike = {
    readyState: 1,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => undefined,
    close: () => giveUp.abort(),
  };
  void run((data) => socket.onmessage?.({ data } as MessageEvent), giveUp.signal)
    .catch(() => ABNORMAL)
    .then((code) => socket.onclose?.({ code } as CloseEvent));
  return socket;
}

/** Return how to open a stream or a poll. Each goes on from where the one before was, whichever it was. */
export function fallbacks(
  options: FallbackOptions,
): (via: Via, token: string | null, query: URLSearchParams, better: () => Promise<SocketLike>) => SocketLike {
  const { fetch, clock, url } = options;
  let cursor = "";

  function ask(path: string, token: string | null, query: URLSearchParams, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
    if (cursor !== "") query.set("since", cursor);
    return fetch(`${url}${path}?${query.toString()}`, { headers, signal, cache: "no-store" });
  }

  const stream =
    (token: string | null, query: URLSearchParams): Run =>
    async (say, signal) => {
      const answer = await ask("/stream", token, query, signal);
      if (!answer.ok || answer.body === null) return CODES[answer.status] ?? ABNORMAL;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) return ABNORMAL;
        const events = (rest + value).split("\n\n");
        rest = events.pop() ?? "";
        for (const event of events) {
          const lines = event.split("\n");
          // A comment is said as nothing: a sign of life.
          say(lines.find((line) => line.startsWith("data:"))?.slice(5) ?? "");
          const id = lines.find((line) => line.startsWith("id:"));
          if (id !== undefined) cursor = id.slice(3).trim();
        }
      }
    };

  const poll =
    (token: string | null, query: URLSearchParams): Run =>
    async (say, signal) => {
      const tell = (frame: ServerFrame): void => say(JSON.stringify(frame));
      let before: Live | null = null;
      for (;;) {
        if (before !== null) query.set("wait", String(POLL_SECONDS));
        const answer = await ask("", token, query, signal);
        if (!answer.ok) return CODES[answer.status] ?? ABNORMAL;
        const body = (await answer.json()) as Live;
        // A whole list begins as a connection does: what it does not hold has to be looked up.
        if (before === null || body.reset) {
          const { epoch, following, reset } = body;
          const nobody = { message: "", connectionId: "", protocol: 1, serverTime: "" };
          tell({ type: "WELCOME", ...nobody, heartbeatSeconds: HEARTBEAT_SECONDS, epoch, following, resumed: !reset });
        }
        if (body.staleSince !== before?.staleSince) {
          tell({ type: body.staleSince === undefined ? "FRESH" : "STALE", since: body.staleSince ?? "" });
        }
        body.messages.forEach(tell);
        say("");
        before = body;
        cursor = body.cursor;
        await pause(clock, POLL_PAUSE_MS, signal);
      }
    };

  return (via, token, query, better) =>
    turning(options, via, socketOf(via === "stream" ? stream(token, query) : poll(token, query)), better);
}

/** A road that turns into a WebSocket, opened beside it by `better`, once that is welcomed. */
function turning({ clock, random }: FallbackOptions, via: Via, first: SocketLike, better: () => Promise<SocketLike>): SocketLike {
  let carrier = first;
  let candidate: SocketLike | null = null;
  let timer: unknown = null;
  let over = false;

  const self = {
    via,
    readyState: 1,
    onmessage: null as SocketLike["onmessage"],
    onclose: null as SocketLike["onclose"],
    onerror: null,
    send: (text: string) => carrier.send(text),
    close(code?: number) {
      over = true;
      clock.clearTimeout(timer);
      leave(candidate);
      leave(carrier, code);
    },
    wake: look,
  };

  function carry(socket: SocketLike): void {
    carrier = socket;
    socket.onmessage = (event) => self.onmessage?.(event);
    socket.onclose = (event) => {
      self.close();
      self.onclose?.(event);
    };
  }

  function look(): void {
    if (over || self.via === "socket") return;
    clock.clearTimeout(timer);
    timer = clock.setTimeout(look, UPGRADE_MS * (0.5 + random()));
    leave(candidate);
    better().then(consider, () => undefined);
  }

  function consider(socket: SocketLike): void {
    if (over || self.via === "socket") {
      socket.close(1000);
      return;
    }
    leave(candidate);
    candidate = socket;
    socket.onclose = () => (candidate = null);
    socket.onmessage = (event) => {
      // It has a voice, so it got through.
      clock.clearTimeout(timer);
      candidate = null;
      self.via = "socket";
      leave(carrier);
      carry(socket);
      self.onmessage?.(event);
    };
  }

  carry(first);
  timer = clock.setTimeout(look, UPGRADE_MS * (0.5 + random()));
  return self;
}

/** Close a socket that has no voice any more. */
function leave(socket: SocketLike | null, code = 1000): void {
  if (socket === null) return;
  socket.onmessage = socket.onclose = null;
  socket.close(code);
}

/** Rejects when given up, and leaves no timer behind then. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clock.clearTimeout(timer);
      reject(new Error("given up"));
    });
  });
}
