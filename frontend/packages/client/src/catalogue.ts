/**
 * Reads snapshots into the store: at the start, after every doubt, and again until one was of use.
 *
 * One reading at a time. A wish that comes during a reading is a wish for a later one, because what made us doubt may
 * be newer than what is being read.
 */
import type { Backoff, Clock } from "./backoff.js";
import type { Store } from "./store.js";
import type { Snapshot } from "./wire.js";

export interface CatalogueOptions {
  /** `GET /api/tours`. Rejects when there is no answer or not a good one. */
  readonly read: (signal: AbortSignal) => Promise<Snapshot>;
  readonly store: Store;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** The state of `failing` changed. */
  readonly onChange: () => void;
}

/** A snapshot of another epoch than the socket's: one of the two is about to learn better. */
const OTHER_EPOCH_MS = 2_000;

export class Catalogue {
  readonly #options: CatalogueOptions;
  #reading: AbortController | null = null;
  #again = false;
  #timer: unknown = null;
  #failing = false;

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** Is an answer being waited for? */
  get reading(): boolean {
    return this.#reading !== null;
  }

  /** Did the last reading fail? */
  get failing(): boolean {
    return this.#failing;
  }

  /** Read now, or once more after the reading under way. */
  refresh(): void {
    this.#forgetTimer();
    if (this.#reading !== null) {
      this.#again = true;
      return;
    }
    const { read, store, backoff } = this.#options;
    const reading = new AbortController();
    this.#reading = reading;
    const mark = store.mark();
    read(reading.signal).then(
      (snapshot) => {
        if (this.#reading !== reading) return;
        this.#reading = null;
        backoff.reset();
        this.#say(false);
        if (!store.applySnapshot(snapshot, mark)) this.#later(OTHER_EPOCH_MS);
        else if (this.#again) this.#later(0);
        this.#again = false;
      },
      () => {
        if (this.#reading !== reading) return;
        this.#reading = null;
        this.#again = false;
        this.#say(true);
        this.#later(backoff.next());
      },
    );
  }

  /** Do not wait for the next attempt, if one is waited for. */
  wake(): void {
    if (this.#timer !== null) this.refresh();
  }

  /** Give up the reading under way and leave no timer behind. */
  stop(): void {
    this.#forgetTimer();
    this.#reading?.abort();
    this.#reading = null;
    this.#again = false;
  }

  #later(ms: number): void {
    this.#forgetTimer();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = null;
      this.refresh();
    }, ms);
  }

  #forgetTimer(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #say(failing: boolean): void {
    if (failing === this.#failing) return;
    this.#failing = failing;
    this.#options.onChange();
  }
}
