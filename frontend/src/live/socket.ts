/**
 * One WebSocket that comes back: an explicit machine with one state, one timer and one socket at a time.
 *
 * idle -> connecting -> connected -> waiting -> connecting ..., or stopped when the server says that trying again is
 * of no use. A socket that we gave up has no handlers left, so nothing late can speak for it.
 */
import { CloseCode, type ClientFrame, parseFrame, type ServerFrame } from "../wire";
import type { Backoff, Clock } from "./backoff";

/** The part of the browser's WebSocket that we use. */
export interface SocketLike {
  readonly readyState: number;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type SocketState =
  | { readonly kind: "idle" | "connecting" | "connected" }
  /** `retryAt` is on the injected clock, in milliseconds. */
  | { readonly kind: "waiting"; readonly retryAt: number }
  | { readonly kind: "stopped"; readonly code: number };

export interface SocketOptions {
  /** Asked before each attempt, so that it may change. */
  readonly url: () => Promise<string>;
  readonly open: (url: string) => SocketLike;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onState: (state: SocketState) => void;
}

/** No WELCOME this long after an attempt began: it counts as failed. */
export const CONNECT_MS = 10_000;
/** No frame this long after a PING: the connection is dead. */
export const PROBE_MS = 5_000;
/** A connection that lasted this long has proven stable, and backoff begins anew after it. */
export const STABLE_MS = 10_000;
/** Added to two heartbeats before silence is worth a PING. */
export const SLACK_MS = 5_000;
/** A wake does not start an attempt sooner than this after the one before. */
export const BREATH_MS = 1_000;
const RESTART_SPREAD_MS = 5_000;
const LONGEST_SLOT_MS = 300_000;
const OPEN = 1;

const FINAL_CODES: ReadonlySet<number> = new Set([
  CloseCode.UNSUPPORTED_DATA,
  CloseCode.UNAUTHENTICATED,
  CloseCode.FORBIDDEN,
]);
const BUSY_CODES: ReadonlySet<number> = new Set([CloseCode.TRY_AGAIN_LATER, CloseCode.RATE_LIMITED]);

export class LiveSocket {
  readonly #options: SocketOptions;
  #state: SocketState = { kind: "idle" };
  #socket: SocketLike | null = null;
  #timer: unknown = null;
  /** Names the current attempt; an answer to an older one is nobody's. */
  #attempt = 0;
  #attemptAt = Number.NEGATIVE_INFINITY;
  #connectedAt = 0;
  #heardAt = 0;
  #heard = 0;
  #silenceMs = 0;
  #probing = false;
  /** The moment that RECONNECT gave us, until it is used. */
  #slotAt: number | null = null;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  get state(): SocketState {
    return this.#state;
  }

  start(): void {
    if (this.#state.kind === "idle") this.#connect();
  }

  /** Close and leave no timer behind. `start` begins anew. */
  stop(): void {
    this.#drop(1000);
    this.#slotAt = null;
    this.#enter({ kind: "idle" });
  }

  /** The page woke, or the network came back: look at the connection now instead of when a timer says so. */
  wake(): void {
    if (this.#state.kind === "connected") this.#probe();
    if (this.#state.kind !== "waiting") return;
    const now = this.#options.clock.now();
    // Put off, never lost: the next wake may be an hour away, and the timer half a minute.
    const due = Math.max(now, this.#attemptAt + BREATH_MS);
    if (due < this.#state.retryAt) this.#wait(due - now);
  }

  /** Try now because a person asked, also after `stopped`. */
  retry(): void {
    if (this.#state.kind === "waiting" || this.#state.kind === "stopped") this.#connect();
  }

  /** Send if connected; say whether it was. */
  send(frame: ClientFrame): boolean {
    if (this.#state.kind !== "connected" || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #connect(): void {
    this.#drop(1000);
    const { clock, url } = this.#options;
    const attempt = this.#attempt;
    this.#attemptAt = clock.now();
    this.#slotAt = null;
    this.#enter({ kind: "connecting" });
    this.#after(CONNECT_MS, () => this.#fail());
    url().then(
      (found) => {
        if (attempt === this.#attempt) this.#open(found);
      },
      () => {
        if (attempt === this.#attempt) this.#fail();
      },
    );
  }

  #open(url: string): void {
    let socket: SocketLike;
    try {
      socket = this.#options.open(url);
    } catch {
      this.#fail();
      return;
    }
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => this.#closed(code);
    // An error is always followed by a close, which says more.
    socket.onerror = null;
  }

  #hear(data: unknown): void {
    const { clock, onFrame } = this.#options;
    this.#heardAt = clock.now();
    this.#heard += 1;
    if (typeof data !== "string") return;
    const frame = parseFrame(data);
    if (frame === null) return;
    if (frame.type === "WELCOME") {
      this.#silenceMs = frame.heartbeatSeconds * 2_000 + SLACK_MS;
      if (this.#state.kind === "connecting") {
        this.#connectedAt = clock.now();
        this.#probing = false;
        this.#enter({ kind: "connected" });
        this.#watch();
      }
    } else if (frame.type === "RECONNECT") {
      this.#slotAt = clock.now() + Math.min(frame.afterMs, LONGEST_SLOT_MS);
    }
    onFrame(frame);
  }

  /** Look again when the silence would be long enough to ask. Frames do not touch the timer. */
  #watch(): void {
    const { clock } = this.#options;
    this.#after(Math.max(0, this.#heardAt + this.#silenceMs - clock.now()), () => {
      if (clock.now() - this.#heardAt >= this.#silenceMs) this.#probe();
      else this.#watch();
    });
  }

  #probe(): void {
    if (this.#probing) return;
    this.#probing = true;
    const heardBefore = this.#heard;
    this.send({ type: "PING" });
    this.#after(PROBE_MS, () => {
      this.#probing = false;
      if (this.#heard > heardBefore) this.#watch();
      else this.#fail();
    });
  }

  #closed(code: number): void {
    const { clock, random } = this.#options;
    if (FINAL_CODES.has(code)) {
      this.#drop();
      this.#enter({ kind: "stopped", code });
    } else if (this.#slotAt !== null) {
      this.#wait(Math.max(0, this.#slotAt - clock.now()));
    } else if (code === CloseCode.SERVICE_RESTART) {
      this.#wait(Math.floor(random() * RESTART_SPREAD_MS));
    } else {
      this.#fail(BUSY_CODES.has(code) ? BREATH_MS : 0);
    }
  }

  #fail(leastMs = 0): void {
    const { backoff, clock } = this.#options;
    if (this.#state.kind === "connected" && clock.now() - this.#connectedAt >= STABLE_MS) backoff.reset();
    this.#wait(Math.max(leastMs, backoff.next()));
  }

  #wait(ms: number): void {
    this.#drop(1000);
    this.#enter({ kind: "waiting", retryAt: this.#options.clock.now() + ms });
    this.#after(ms, () => this.#connect());
  }

  /** Leave the socket and the timer of the state we are in; whatever they still do, nobody listens. */
  #drop(code?: number): void {
    this.#attempt += 1;
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = socket.onerror = null;
    if (code !== undefined) socket.close(code);
  }

  #after(ms: number, run: () => void): void {
    const { clock } = this.#options;
    if (this.#timer !== null) clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => {
      this.#timer = null;
      run();
    }, ms);
  }

  #enter(state: SocketState): void {
    if (state.kind === "idle" && this.#state.kind === "idle") return;
    this.#state = state;
    this.#options.onState(state);
  }
}
