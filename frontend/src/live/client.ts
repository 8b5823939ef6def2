/**
 * Socket, catalogue and store as one thing that lives exactly as long as somebody reads it.
 *
 * Readers are counted. The first one connects; after the last one we linger a moment, because a page that swaps one
 * view for another (and React's StrictMode, which mounts everything twice) is not a page that has gone.
 */
import type { Availability, ServerFrame } from "../wire";
import { Backoff, type Clock } from "./backoff";
import { Catalogue, type CatalogueOptions } from "./catalogue";
import type { Page } from "./page";
import { LiveSocket, type SocketOptions, type SocketState } from "./socket";
import type { Store } from "./store";
import type { TourView } from "./views";

export type Status =
  | { readonly kind: "idle" | "connecting" }
  | { readonly kind: "connected" }
  /** Connected, but the gateway lost the source of its facts at `since` (ISO-8601). */
  | { readonly kind: "stale"; readonly since: string }
  /** Not connected; `retryAt` and `since` (when the connection was lost) are on the clock, in milliseconds. */
  | { readonly kind: "reconnecting"; readonly retryAt: number; readonly since: number | null }
  | { readonly kind: "offline"; readonly since: number | null }
  | { readonly kind: "refused"; readonly code: number; readonly since: number | null };

export interface LiveOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly page: Page;
  readonly url: SocketOptions["url"];
  readonly open: SocketOptions["open"];
  readonly read: CatalogueOptions["read"];
}

/** How long the connection outlives its last reader. */
export const LINGER_MS = 500;
/** How long to wait before asking REST about a tour that only the socket has told of; more may come. */
export const DESCRIBE_MS = 300;
/** How often to read snapshots when the gateway follows only what is named (CONTRACT 1, `following`). */
export const NAMED_REFRESH_MS = 15_000;
/** Tours to name then; kept well below the gateway's 100 messages a minute. */
export const NAMED_LIMIT = 60;

type Wake = () => void;
type TimerName = "linger" | "describe" | "poll";

export class Live {
  readonly #options: LiveOptions;
  readonly #socket: LiveSocket;
  readonly #catalogue: Catalogue;
  readonly #statusReaders = new Set<Wake>();
  #status: Status = { kind: "idle" };
  #staleSince: string | null = null;
  #lostAt: number | null = null;
  #readers = 0;
  #unlisten: (() => void) | null = null;
  readonly #asked = new Set<string>();
  readonly #named = new Set<string>();
  readonly #timers = new Map<TimerName, unknown>();

  constructor(options: LiveOptions) {
    this.#options = options;
    const { store, clock, random } = options;
    this.#socket = new LiveSocket({
      ...options,
      backoff: new Backoff(random),
      onFrame: (frame) => this.#learn(frame),
      onState: (state) => this.#follow(state),
    });
    this.#catalogue = new Catalogue({
      store,
      clock,
      read: options.read,
      backoff: new Backoff(random),
      onChange: () => this.#tellStatus(),
    });
  }

  // Reading: each watch keeps the connection alive until it is given back

  readonly watchTour = (id: string, wake: Wake): (() => void) => this.#held(this.#options.store.watchTour(id, wake));
  readonly watchTours = (wake: Wake): (() => void) => this.#held(this.#options.store.watchList(wake));
  readonly watchStatus = (wake: Wake): (() => void) => {
    this.#statusReaders.add(wake);
    return this.#held(() => this.#statusReaders.delete(wake));
  };

  readonly tour = (id: string): TourView | null => this.#options.store.tour(id);
  readonly tours = (): readonly string[] => this.#options.store.ids();
  /** Is the list of tours the whole truth, or still being read, or out of reach? */
  readonly listState = (): "loading" | "complete" | "failing" =>
    this.#options.store.complete ? "complete" : this.#catalogue.failing ? "failing" : "loading";
  readonly status = (): Status => this.#status;

  /** The epoch to remember when asking the service for something whose answer holds a fact. */
  get epoch(): string | null {
    return this.#options.store.epoch;
  }

  /** Join a fact that came in an answer of the service, asked for in `epoch`. */
  learn(availability: Availability, epoch: string | null): void {
    this.#options.store.applyAvailability(availability, epoch);
  }

  /** Try to connect now: a person asked. */
  readonly retry = (): void => {
    this.#socket.retry();
    this.#catalogue.wake();
  };

  /** Keep the connection until the returned function is called; calling it twice is calling it once. */
  retain(): () => void {
    this.#readers += 1;
    this.#forget("linger");
    if (this.#unlisten === null) this.#start();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#readers -= 1;
      if (this.#readers === 0) this.#after("linger", LINGER_MS, () => this.#stop());
    };
  }

  #held(unwatch: () => unknown): () => void {
    const release = this.retain();
    return () => {
      unwatch();
      release();
    };
  }

  #start(): void {
    this.#unlisten = this.#options.page.listen(() => {
      this.#socket.wake();
      this.#catalogue.wake();
      this.#say();
    });
    this.#catalogue.refresh();
    this.#socket.start();
  }

  #stop(): void {
    this.#unlisten?.();
    this.#unlisten = null;
    this.#forget("describe");
    this.#forget("poll");
    this.#catalogue.stop();
    this.#socket.stop();
    this.#lostAt = null;
  }

  // Learning

  #learn(frame: ServerFrame): void {
    const { store } = this.#options;
    const epochBefore = store.epoch;
    store.apply(frame);
    switch (frame.type) {
      case "WELCOME":
        this.#welcome(frame.following, store.epoch !== epochBefore);
        return;
      case "RESET":
        this.#asked.clear();
        this.#catalogue.refresh();
        return;
      case "STALE":
        this.#staleSince = frame.since;
        this.#say();
        return;
      case "FRESH":
        this.#staleSince = null;
        this.#say();
        return;
      case "INITIAL_STATE":
      case "AVAILABILITY_UPDATE":
        this.#describeSoon(frame.tourId);
        return;
      default:
        return;
    }
  }

  #welcome(following: "all" | "named", newEpoch: boolean): void {
    // What was closed while we were away is in no frame: only a snapshot tells. The first connection of a page has
    // not been away, and its snapshot is already being read.
    const wasAway = this.#lostAt !== null;
    this.#lostAt = null;
    this.#say();
    if (newEpoch) this.#asked.clear();
    if (wasAway || (newEpoch && !this.#catalogue.reading)) this.#catalogue.refresh();
    this.#forget("poll");
    this.#named.clear();
    if (following === "named") this.#followByName();
  }

  /** Name the first tours of the list that are not named yet, and read snapshots for the rest. */
  #followByName(): void {
    for (const tourId of this.tours().slice(0, NAMED_LIMIT)) {
      if (this.#named.has(tourId)) continue;
      if (this.#socket.send({ type: "SUBSCRIBE", tourId })) this.#named.add(tourId);
    }
    this.#after("poll", NAMED_REFRESH_MS, () => {
      this.#catalogue.refresh();
      this.#followByName();
    });
  }

  #describeSoon(tourId: string): void {
    if (this.#asked.has(tourId) || !this.#options.store.isUndescribed(tourId)) return;
    // Asked once: a tour of a publisher that is not ours may be in no catalogue at all.
    this.#asked.add(tourId);
    this.#after("describe", DESCRIBE_MS, () => {
      if ([...this.#asked].some((id) => this.#options.store.isUndescribed(id))) this.#catalogue.refresh();
    });
  }

  // Status

  #follow(state: SocketState): void {
    const wasConnected = this.#status.kind === "connected" || this.#status.kind === "stale";
    if (state.kind !== "connected" && wasConnected) this.#lostAt = this.#options.clock.now();
    if (state.kind !== "connected") {
      this.#staleSince = null;
      this.#forget("poll");
    }
    this.#say();
  }

  /** Work out the status, and tell its readers if it is another. */
  #say(): void {
    const next = this.#work();
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return;
    this.#status = next;
    this.#tellStatus();
  }

  #work(): Status {
    const { state } = this.#socket;
    const since = this.#lostAt;
    switch (state.kind) {
      case "connected":
        return this.#staleSince === null ? { kind: "connected" } : { kind: "stale", since: this.#staleSince };
      case "stopped":
        return { kind: "refused", code: state.code, since };
      case "waiting":
        return this.#options.page.online()
          ? { kind: "reconnecting", retryAt: state.retryAt, since }
          : { kind: "offline", since };
      case "connecting":
        return since === null ? { kind: "connecting" } : { kind: "reconnecting", retryAt: this.#options.clock.now(), since };
      case "idle":
        return { kind: "idle" };
    }
  }

  #tellStatus(): void {
    for (const wake of [...this.#statusReaders]) wake();
  }

  // Timers

  /** One timer of each name at a time; asking again puts it off. */
  #after(name: TimerName, ms: number, run: () => void): void {
    this.#forget(name);
    const timer = this.#options.clock.setTimeout(() => {
      this.#timers.delete(name);
      run();
    }, ms);
    this.#timers.set(name, timer);
  }

  #forget(name: TimerName): void {
    if (this.#timers.has(name)) this.#options.clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
