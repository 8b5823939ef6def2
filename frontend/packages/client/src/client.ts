/**
 * Link, catalogue and store as one thing that lives exactly as long as somebody uses it.
 *
 * Users are counted. The first one connects; after the last one we linger a moment, because a page that swaps one
 * view for another (and React's StrictMode, which mounts everything twice) is not a page that has gone.
 */
import { Backoff, type Clock } from "./backoff.js";
import { Catalogue } from "./catalogue.js";
import { Follows } from "./follows.js";
import type { Availability, ClientFrame, ServerFrame, Welcome } from "./frames.js";
import { Link, type LinkState } from "./link.js";
import { Messages } from "./messages.js";
import { once } from "./once.js";
import type { ClientParts, Tap } from "./parts.js";
import type { Wake } from "./readers.js";
import type { Request } from "./rest.js";
import type { Via } from "./roads.js";
import { type Status, statusOf } from "./status.js";
import { Store } from "./store.js";
import { Timers } from "./timers.js";
import type { DepartureView, TourView } from "./views.js";
import type { FrameOf } from "./wire.js";

/** How long the connection outlives its last user. */
export const LINGER_MS = 500;
/** How long to wait before asking REST about a tour that only the link has told of; more may come. */
export const DESCRIBE_MS = 300;
/** How often to read snapshots when the gateway follows only what is named (CONTRACT 1, `following`). */
export const NAMED_REFRESH_MS = 15_000;
/** Tours to name one by one then; kept well below the gateway's 100 messages a minute. */
export const NAMED_LIMIT = 60;

export class Client {
  readonly #parts: ClientParts;
  readonly #store: Store;
  readonly #link: Link;
  readonly #catalogue: Catalogue;
  readonly #messages = new Messages();
  readonly #follows: Follows;
  readonly #taps = new Set<Tap>();
  #status: Status = { kind: "idle" };
  #staleSince: string | null = null;
  #lostAt: number | null = null;
  #welcomed = false;
  #userId: string | undefined;
  #users = 0;
  #unlisten: (() => void) | null = null;
  readonly #asked = new Set<string>();
  /** Tours that the address named. */
  #addressed: readonly string[] = [];
  readonly #timers: Timers<"linger" | "describe" | "poll">;

  /** Pages call `createClient`; this is for those who bring their own parts. */
  constructor(parts: ClientParts) {
    this.#parts = parts;
    const { readers, clock, random } = parts;
    this.#timers = new Timers(clock);
    this.#store = new Store(readers);
    this.#link = new Link({
      ...parts,
      backoff: new Backoff(random),
      open: (via, token) => parts.open(via, token, this.#query),
      onFrame: (frame) => this.#learn(frame),
      onState: (state) => this.#follow(state),
    });
    this.#follows = new Follows(this.send);
    this.#catalogue = new Catalogue({
      store: this.#store,
      clock,
      read: (signal) => parts.read(parts.request, signal, this.#follows.tours),
      backoff: new Backoff(random),
      onChange: () => readers.touch("status"),
    });
  }

  // Reading: each of these keeps the connection alive until it is given back

  /** Call `wake` after each batch in which `key` was touched. */
  watch(key: string, wake: Wake): () => void {
    return this.#held(this.#parts.readers.watch(key, wake));
  }
  readonly watchTours = (wake: Wake): (() => void) => this.watch("tours", wake);
  readonly watchStatus = (wake: Wake): (() => void) => this.watch("status", wake);
  readonly watchTour = (id: string, wake: Wake): (() => void) => {
    const unfollow = this.#follows.add({ tourId: id });
    const unwatch = this.watch(`tour ${id}`, wake);
    return () => {
      unfollow();
      unwatch();
    };
  };
  /** Follow a channel: `metrics`, `random-numbers`, `support`, `document:ID`. */
  readonly follow = (channel: string): (() => void) => this.#held(this.#follows.add({ channel }));

  /** Call `handler` with every message of a type: once each, at once, in order. */
  on<Type extends ServerFrame["type"]>(type: Type, handler: (frame: FrameOf<Type>) => void): () => void;
  on(type: string, handler: (frame: { readonly type: string }) => void): () => void;
  on(type: string, handler: (frame: never) => void): () => void {
    return this.#held(this.#messages.on(type, handler as (frame: ServerFrame) => void));
  }

  /** The tour, or null when it is unknown or closed; the same object until it changes. */
  readonly tour = (id: string): TourView | null => this.#store.tour(id);
  readonly departure = (tourId: string, id: string): DepartureView | null =>
    this.#store.tour(tourId)?.departures.find((departure) => departure.id === id) ?? null;
  /** Ids of the open tours, by name; the same array until it changes. */
  readonly tours = (): readonly string[] => this.#store.ids();
  /** Is the list of tours the whole truth, or still being read, or out of reach? */
  readonly listState = (): "loading" | "complete" | "failing" =>
    this.#store.complete ? "complete" : this.#catalogue.failing ? "failing" : "loading";
  readonly status = (): Status => this.#status;
  /**
   * Until when "connected" may be believed if nothing more is heard, on the clock in milliseconds.
   *
   * A page that slept learns from it at once what `status` says only after it has asked the gateway and waited.
   */
  readonly freshUntil = (): number => this.#link.freshUntil;
  /** Who is signed in, as far as the gateway has said. */
  readonly userId = (): string | null => this.#userId ?? null;

  /** The epoch to remember when asking the service for something whose answer holds a fact. */
  get epoch(): string | null {
    return this.#store.epoch;
  }

  /** Join a fact that came in an answer of the service, asked for in `epoch`. */
  learn(availability: Availability, epoch: string | null): void {
    this.#store.applyAvailability(availability, epoch);
  }

  // Asking

  /** Send a frame if there is a WebSocket; say whether there was. `ask` waits for one, and for the answer. */
  readonly send = (frame: ClientFrame): boolean => this.#link.send(frame);

  /** A request to the tour service, with the same token. */
  get request(): Request {
    return this.#parts.request;
  }

  /** Try to connect now: a person asked. */
  readonly retry = (): void => {
    this.#link.retry();
    this.#catalogue.wake();
  };

  /** Connect anew with another token: somebody signed in or out. */
  readonly renew = (): void => {
    this.#messages.forget();
    this.#link.renew();
  };

  // For what is built on this

  get clock(): Clock {
    return this.#parts.clock;
  }

  /** A word that nobody else has made. */
  mark(): string {
    const { random } = this.#parts;
    return (random().toString(36) + random().toString(36)).replaceAll("0.", "");
  }

  /** Listen to the connection itself. This does not keep it alive. */
  tap(tap: Tap): void {
    this.#taps.add(tap);
  }

  /** Wake those who watch `key`. */
  touch(key: string): void {
    this.#parts.readers.touch(key);
  }

  /** Keep the connection until the returned function is called; calling it twice is calling it once. */
  retain(): () => void {
    this.#users += 1;
    this.#timers.forget("linger");
    if (this.#unlisten === null) this.#start();
    return once(() => {
      this.#users -= 1;
      if (this.#users === 0) this.#timers.after("linger", LINGER_MS, () => this.#stop());
    });
  }

  #held(unwatch: () => unknown): () => void {
    const release = this.retain();
    return () => {
      unwatch();
      release();
    };
  }

  #start(): void {
    this.#unlisten = this.#parts.page.listen(
      () => {
        this.#link.wake();
        this.#catalogue.wake();
        this.#say();
      },
      this.#link.leave,
    );
    this.#catalogue.refresh();
    this.#link.start();
  }

  #stop(): void {
    this.#unlisten?.();
    this.#unlisten = null;
    this.#timers.forget("describe");
    this.#timers.forget("poll");
    this.#catalogue.stop();
    this.#link.stop();
    for (const tap of this.#taps) tap.stop?.();
    this.#lostAt = null;
    this.#welcomed = false;
  }

  /** What the address of a connection has to say. */
  readonly #query = (via: Via): URLSearchParams => {
    const query = new URLSearchParams();
    const { tours, language } = this.#parts;
    this.#addressed = tours === "watched" ? this.#follows.tours() : [];
    const since = via === "socket" ? this.#messages.since() : "";
    const words = { tours: this.#addressed.join(","), since, lang: language() ?? "" };
    for (const [name, value] of Object.entries(words)) if (value !== "") query.set(name, value);
    return query;
  };

  // Learning

  #learn(frame: ServerFrame): void {
    const epochBefore = this.#store.epoch;
    this.#store.apply(frame);
    switch (frame.type) {
      case "WELCOME":
        this.#welcome(frame, this.#store.epoch !== epochBefore);
        break;
      case "AUTHENTICATED":
        this.#userId = frame.userId;
        break;
      case "RESET":
        this.#asked.clear();
        this.#catalogue.refresh();
        break;
      case "STALE":
      case "FRESH":
        this.#staleSince = frame.type === "STALE" ? frame.since : null;
        this.#say();
        break;
      case "INITIAL_STATE":
      case "AVAILABILITY_UPDATE":
        this.#describeSoon(frame.tourId);
        break;
      default:
        break;
    }
    for (const tap of this.#taps) tap.frame?.(frame);
    if (!this.#messages.take(frame, this.#userId)) return;
    for (const tap of this.#taps) tap.message?.(frame);
  }

  #welcome(welcome: Welcome, newEpoch: boolean): void {
    const { following, userId } = welcome;
    // What was closed while we were away is in no frame: only a snapshot tells. The first welcome of a page comes
    // after no absence, and its snapshot is already being read.
    const again = this.#welcomed;
    this.#welcomed = true;
    this.#lostAt = null;
    this.#userId = userId;
    if (userId !== undefined) this.#messages.begin(welcome.serverTime);
    this.#say();
    if (newEpoch) this.#asked.clear();
    if (again || (newEpoch && !this.#catalogue.reading)) this.#catalogue.refresh();
    this.#timers.forget("poll");
    let names = following === "named" ? NAMED_LIMIT : 0;
    // A SUBSCRIBE would narrow a connection that follows everything to that tour.
    this.#follows.connected((wish) => "channel" in wish || (names -= 1) >= 0, this.#addressed);
    for (const tap of this.#taps) tap.up?.(welcome);
    if (following === "named" && this.#parts.tours === "all") this.#pollSoon();
  }

  /** What nobody reads is followed by nothing but snapshots. */
  #pollSoon(): void {
    this.#timers.after("poll", NAMED_REFRESH_MS, () => {
      if (this.#parts.page.visible()) this.#catalogue.refresh();
      this.#pollSoon();
    });
  }

  #describeSoon(tourId: string): void {
    if (this.#asked.has(tourId) || !this.#store.isUndescribed(tourId)) return;
    // Asked once: a tour of a publisher that is not ours may be in no catalogue at all.
    this.#asked.add(tourId);
    this.#timers.after("describe", DESCRIBE_MS, () => {
      if ([...this.#asked].some((id) => this.#store.isUndescribed(id))) this.#catalogue.refresh();
    });
  }

  // Status

  #follow(state: LinkState): void {
    const wasConnected = this.#status.kind === "connected" || this.#status.kind === "stale";
    if (state.kind !== "connected") {
      if (wasConnected) {
        this.#lostAt = this.#parts.clock.now();
        this.#follows.lost();
        for (const tap of this.#taps) tap.down?.();
      }
      this.#staleSince = null;
      this.#timers.forget("poll");
    }
    this.#say();
  }

  /** Work out the status, and tell its readers if it is another. */
  #say(): void {
    const { clock, page } = this.#parts;
    const next = statusOf(this.#link.state, this.#staleSince, this.#lostAt, page.online(), clock.now());
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return;
    this.#status = next;
    this.#parts.readers.touch("status");
  }
}
