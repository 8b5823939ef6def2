/** Milliseconds, injected so that a test owns the time. */
export interface Clock {
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const FIRST_DELAY_MS = 1_000;
export const LONGEST_DELAY_MS = 30_000;

/**
 * Exponential backoff with full jitter: the wait is anywhere between nothing and a ceiling that doubles.
 *
 * Full, because ten thousand pages that lose one gateway together must not come back together.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` returns a number in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Count a failure and return how many milliseconds to wait. */
  next(): number {
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return Math.floor(this.#random() * ceiling);
  }

  /** Begin again at the first ceiling: only when things have proven stable. */
  reset(): void {
    this.#failures = 0;
  }
}
