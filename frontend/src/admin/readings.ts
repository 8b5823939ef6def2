/** Reads the shop's figures (`GET /api/metrics`) whenever somebody wishes it, but never too often. */
import type { Client, ShopMetrics } from "@seatcast/client";
import { type Api, Refused } from "../api";

/** The least time between two readings. */
export const BETWEEN_MS = 3_000;
export const RETRY_MS = 5_000;

export interface Reading {
  /** The newest that was read; null before the first. */
  readonly metrics: ShopMetrics | null;
  /** Why the last try brought none. */
  readonly problem: "unanswered" | "refused" | null;
}

const DUE = "admin reading is due";

export class Readings {
  readonly #client: Client;
  readonly #api: Pick<Api, "metrics">;
  readonly #onChange: () => void;
  #now: Reading = { metrics: null, problem: null };
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;
  #wanted = false;
  #dueAt = Number.POSITIVE_INFINITY;
  #timer: unknown = null;
  #stopped = true;

  /** `onChange` is called after each reading, with an answer or without. */
  constructor(client: Client, api: Pick<Api, "metrics">, onChange: () => void) {
    this.#client = client;
    this.#api = api;
    this.#onChange = onChange;
  }

  get now(): Reading {
    return this.#now;
  }

  start(): () => void {
    this.#stopped = false;
    // Woken with the page's frames: what is due in a hidden tab is read when the tab is shown.
    const unwatch = this.#client.watch(DUE, () => void this.#read());
    return () => {
      unwatch();
      this.#stopped = true;
      this.#forget();
    };
  }

  /** Read in `ms`, or as soon after that as may be. */
  soon(ms = 0): void {
    if (this.#stopped) return;
    const { clock } = this.#client;
    const dueAt = Math.max(clock.now() + ms, this.#askedAt + BETWEEN_MS);
    if (dueAt >= this.#dueAt) return;
    this.#forget();
    this.#dueAt = dueAt;
    this.#timer = clock.setTimeout(() => this.#client.touch(DUE), dueAt - clock.now());
  }

  /** Read now: a person asked. */
  atOnce(): void {
    this.#forget();
    this.#client.touch(DUE);
  }

  #forget(): void {
    this.#client.clock.clearTimeout(this.#timer);
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  async #read(): Promise<void> {
    this.#forget();
    // A wish that falls due during a reading waits for its end.
    this.#wanted = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    this.#askedAt = this.#client.clock.now();
    try {
      this.#now = { metrics: await this.#api.metrics(), problem: null };
    } catch (error) {
      const refused = error instanceof Refused;
      // What was read as somebody who may is not for somebody who may not.
      this.#now = { metrics: refused ? null : this.#now.metrics, problem: refused ? "refused" : "unanswered" };
      if (!refused) this.soon(RETRY_MS);
    }
    this.#asking = false;
    if (this.#wanted) this.soon();
    this.#onChange();
  }
}
