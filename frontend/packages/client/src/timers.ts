/** Timers by name, one of each at a time. */
import type { Clock } from "./backoff.js";

export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #timers = new Map<Name, unknown>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Run something in `ms`; asking again puts it off. */
  after(name: Name, ms: number, run: () => void): void {
    this.forget(name);
    this.#timers.set(name, this.#clock.setTimeout(run, ms));
  }

  forget(name: Name): void {
    this.#clock.clearTimeout(this.#timers.get(name));
  }
}
