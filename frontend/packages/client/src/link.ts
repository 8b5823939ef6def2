/**
 * One connection that comes back: an explicit machine with one state, one timer and one socket at a time.
 *
 * idle -> connecting -> connected -> waiting -> connecting ..., or stopped when the server says that trying again is
 * of no use. A socket that we gave up has no handlers left, so nothing late can speak for it.
 *
 * Where WebSockets are blocked it takes another road.
 */
import { type Backoff, type Clock, LONGEST_DELAY_MS } from "./backoff.js";
import type { ClientFrame, ServerFrame } from "./frames.js";
import { BLOCKED_AFTER, Roads, type Via } from "./roads.js";
import {
  FORBIDDEN,
  parseFrame,
  RATE_LIMITED,
  SERVICE_RESTART,
  TRY_AGAIN_LATER,
  UNAUTHENTICATED,
  UNSUPPORTED_DATA,
} from "./wire.js";

/** The part of the browser's WebSocket that we use; the other roads look the same, and may turn into one. */
export interface SocketLike {
  /** Which road it is now; a WebSocket does not say. */
  readonly via?: Via;
  /** The page woke: is there a better road? */
  readonly wake?: () => void;
  readonly readyState: number;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type LinkState =
  | { readonly kind: "idle" | "connecting" }
  | { readonly kind: "connected"; readonly via: Via }
  /** `retryAt` is on the injected clock, in milliseconds. */
  | { readonly kind: "waiting"; readonly retryAt: number }
  | { readonly kind: "stopped"; readonly code: number };

export interface LinkOptions {
  /** Asked before each attempt; null to come without one. */
  readonly token: () => Promise<string | null>;
  readonly open: (via: Via, token: string | null) => Promise<SocketLike>;
  /** See `Roads`. */
  readonly roads: readonly Via[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onState: (state: LinkState) => void;
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

export class Link {
  readonly #options: LinkOptions;
  #state: LinkState = { kind: "idle" };
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
  readonly #roads: Roads;
  #token: string | null = null;
  /** The token that was refused, and that we asked to have replaced: undefined when none was. */
  #refused: string | null | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#roads = new Roads(options.roads);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** A silence until then is no reason to doubt the connection that there is. */
  get freshUntil(): number {
    return this.#heardAt + this.#silenceMs + PROBE_MS;
  }

  start(): void {
    if (this.#state.kind === "idle") this.#connect();
  }

  /** Close and leave no timer behind. `start` begins anew. */
  stop(): void {
    this.#drop(1000);
    this.#slotAt = null;
    this.#refused = undefined;
    this.#enter({ kind: "idle" });
  }

  /** The page woke, or the network came back: look at the connection now instead of when a timer says so. */
  wake(): void {
    const now = this.#options.clock.now();
    const state = this.#state;
    if (state.kind === "connected") {
      if (state.via === "socket") this.#probe();
      else if (now - this.#heardAt >= this.#silenceMs) this.#fail();
      else this.#socket?.wake?.();
    }
    if (state.kind !== "waiting") return;
    // Put off, never lost: the next wake may be an hour away, and the timer half a minute.
    const due = Math.max(now, this.#attemptAt + BREATH_MS);
    if (due < state.retryAt) this.#wait(due - now);
  }

  /**
   * The page is left, and may be kept to be shown again: a socket would not survive that, and browsers keep no page
   * that has one. The next wake connects again, and should there be none, time does.
   */
  readonly leave = (): void => {
    if (this.#socket !== null) this.#wait(LONGEST_DELAY_MS);
  };

  /** Try now because a person asked, also after `stopped`. */
  retry(): void {
    if (this.#state.kind === "waiting" || this.#state.kind === "stopped") this.#connectAfresh();
  }

  /** Leave the connection and make another: who is signed in has changed. */
  renew(): void {
    if (this.#state.kind !== "idle") this.#connectAfresh();
  }

  /** Send if there is a WebSocket; say whether there was. */
  send(frame: ClientFrame): boolean {
    const state = this.#state;
    if (state.kind !== "connected" || state.via !== "socket" || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  // Connecting

  #connectAfresh(): void {
    this.#refused = undefined;
    this.#connect();
  }

  #connect(): void {
    this.#drop(1000);
    const { clock, token, open } = this.#options;
    const attempt = this.#attempt;
    this.#attemptAt = clock.now();
    this.#slotAt = null;
    this.#enter({ kind: "connecting" });
    // A road that swallows us is as good as two that refuse us.
    this.#after(CONNECT_MS, () => this.#miss(BLOCKED_AFTER.never));
    const via = this.#roads.next;
    token()
      .then(async (found) => {
        if (attempt !== this.#attempt) return;
        this.#token = found;
        if (found === this.#refused) this.#stopAt(UNAUTHENTICATED);
        else this.#listen(await open(via, found), attempt);
      })
      .catch(() => {
        if (attempt === this.#attempt) this.#miss(1);
      });
  }

  #listen(socket: SocketLike, attempt: number): void {
    if (attempt !== this.#attempt) {
      socket.close(1000);
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
    const frame = typeof data === "string" ? parseFrame(data) : null;
    if (frame === null) return;
    if (frame.type === "WELCOME") {
      this.#silenceMs = Math.max(1, frame.heartbeatSeconds) * 2_000 + SLACK_MS;
      const via = this.#socket?.via ?? "socket";
      if (this.#state.kind !== "connected" || this.#state.via !== via) this.#connected(via);
    } else if (frame.type === "RECONNECT") {
      this.#slotAt = clock.now() + Math.min(Math.max(0, frame.afterMs), LONGEST_SLOT_MS);
    }
    onFrame(frame);
  }

  #connected(via: Via): void {
    this.#connectedAt = this.#options.clock.now();
    this.#probing = false;
    this.#roads.welcomed(via);
    this.#enter({ kind: "connected", via });
    this.#watch();
  }

  // Signs of life

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

  // Ends

  #closed(code: number): void {
    const { clock, random } = this.#options;
    const leastMs = code === TRY_AGAIN_LATER || code === RATE_LIMITED ? BREATH_MS : 0;
    if (code === UNAUTHENTICATED && this.#mayAskAgain()) {
      this.#refused = this.#token;
      this.#connect();
    } else if (code === UNSUPPORTED_DATA || code === UNAUTHENTICATED || code === FORBIDDEN) {
      this.#stopAt(code);
    } else if (this.#slotAt !== null) {
      this.#wait(Math.max(0, this.#slotAt - clock.now()));
    } else if (code === SERVICE_RESTART) {
      this.#wait(Math.floor(random() * RESTART_SPREAD_MS));
    } else if (this.#state.kind === "connecting") {
      this.#miss(1, leastMs);
    } else {
      this.#fail(leastMs);
    }
  }

  /** A refused token is replaced once; again only after a connection that has proven stable. */
  #mayAskAgain(): boolean {
    return this.#token !== null && (this.#refused === undefined || this.#isStable());
  }

  #isStable(): boolean {
    return this.#state.kind === "connected" && this.#options.clock.now() - this.#connectedAt >= STABLE_MS;
  }

  /** An attempt failed, which counts `misses` times against its road. */
  #miss(misses: number, leastMs = 0): void {
    this.#roads.missed(misses);
    this.#fail(leastMs);
  }

  #fail(leastMs = 0): void {
    const { backoff } = this.#options;
    if (this.#isStable()) backoff.reset();
    this.#wait(Math.max(leastMs, backoff.next()));
  }

  #stopAt(code: number): void {
    this.#drop(1000);
    this.#enter({ kind: "stopped", code });
  }

  #wait(ms: number): void {
    this.#drop(1000);
    this.#enter({ kind: "waiting", retryAt: this.#options.clock.now() + ms });
    this.#after(ms, () => this.#connect());
  }

  /** Leave the socket and the timers of the state we are in; whatever they still do, nobody listens. */
  #drop(code: number): void {
    const { clock } = this.#options;
    this.#attempt += 1;
    clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close(code);
  }

  #after(ms: number, run: () => void): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(run, ms);
  }

  #enter(state: LinkState): void {
    if (state.kind === "idle" && this.#state.kind === "idle") return;
    this.#state = state;
    this.#options.onState(state);
  }
}
