/**
 * A WebSocket as one would write it by hand, made right: one per address for everybody, and every message seen.
 *
 * Whoever renders messages one by one can render one a frame. Of what is a whole truth the newest is kept for each
 * key; everything else waits its turn. Nobody waits behind what is no longer true.
 */
import type { Clock } from "./backoff.js";
import type { Wake } from "./readers.js";

export type Data = Readonly<Record<string, unknown>>;

export interface RawState {
  /** The newest message that was shown, parsed; null before the first. */
  readonly data: Data | null;
  readonly connected: boolean;
}

/** What a raw connection needs of the world: a link that calls back with each text, and frames to draw in. */
export interface RawParts {
  readonly clock: Clock;
  readonly open: (heard: (text: string) => void, state: (connected: boolean) => void) => () => void;
  readonly schedule: (draw: Wake) => void;
}

/** How long a connection outlives its last reader. */
export const LINGER_MS = 500;
const IDLE: RawState = { data: null, connected: false };

/** What the message is the newest truth about, or null when each counts. */
function keyOf({ type, tourId, departure, departureId }: Data): string | null {
  if (type === "METRICS_UPDATE" || type === "RANDOM_NUMBER") return type;
  if (type !== "INITIAL_STATE" && type !== "AVAILABILITY_UPDATE" && type !== "TOUR_CLOSED") return null;
  return `${String(tourId)} ${String((departure as Data | undefined)?.["id"] ?? departureId)}`;
}

/** One reader's messages, handed over one per frame. */
export class Inbox {
  readonly #raw: Raw;
  readonly #wake: Wake;
  readonly #waiting: Map<unknown, Data>;
  #drawing = false;
  state: RawState = IDLE;

  constructor(raw: Raw, wake: Wake, known: ReadonlyMap<unknown, Data>, connected: boolean) {
    this.#raw = raw;
    this.#wake = wake;
    this.#waiting = new Map(known);
    this.state = { data: null, connected };
    if (known.size > 0) this.#draw();
  }

  put(data: Data, key: string | null): void {
    // In its place in the queue, so that one busy tour does not keep the others waiting.
    this.#waiting.set(key ?? data, data);
    this.#draw();
  }

  say(connected: boolean): void {
    this.state = { ...this.state, connected };
    this.#draw();
  }

  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    this.#raw.parts.schedule(() => {
      this.#drawing = false;
      for (const [key, data] of this.#waiting) {
        this.#waiting.delete(key);
        this.state = { ...this.state, data };
        break;
      }
      this.#wake();
      if (this.#waiting.size > 0) this.#draw();
    });
  }
}

/** The connection to one address, alive while somebody reads it. */
export class Raw {
  readonly parts: RawParts;
  readonly #inboxes = new Set<Inbox>();
  /** The newest truths, for those who come later. */
  readonly #known = new Map<unknown, Data>();
  #connected = false;
  #close: (() => void) | null = null;
  #linger: unknown = null;

  constructor(parts: RawParts) {
    this.parts = parts;
  }

  /** Read from now on; `state` of the inbox changes before each `wake`. */
  read(wake: Wake): { readonly inbox: Inbox; readonly stop: () => void } {
    this.parts.clock.clearTimeout(this.#linger);
    this.#close ??= this.parts.open(
      (text) => this.#hear(text),
      (connected) => {
        this.#connected = connected;
        for (const inbox of this.#inboxes) inbox.say(connected);
      },
    );
    const inbox = new Inbox(this, wake, this.#known, this.#connected);
    this.#inboxes.add(inbox);
    return {
      inbox,
      stop: () => {
        this.#inboxes.delete(inbox);
        if (this.#inboxes.size > 0) return;
        this.parts.clock.clearTimeout(this.#linger);
        this.#linger = this.parts.clock.setTimeout(() => {
          this.#close?.();
          this.#close = null;
          this.#connected = false;
          this.#known.clear();
        }, LINGER_MS);
      },
    };
  }

  #hear(text: string): void {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof data !== "object" || data === null) return;
    const key = keyOf(data as Data);
    if (key !== null) this.#known.set(key, data as Data);
    for (const inbox of this.#inboxes) inbox.put(data as Data, key);
  }
}
