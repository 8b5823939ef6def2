/** Who reads what, by key. However much changes, a reader is woken once per batch, and only for its own key. */
export type Wake = () => void;

export class Readers {
  readonly #schedule: (flush: Wake) => void;
  readonly #readers = new Map<string, Set<Wake>>();
  #changed = new Set<string>();
  #asked = false;

  /** `schedule` runs its argument once, soon: in a page, on the next animation frame. */
  constructor(schedule: (flush: Wake) => void) {
    this.#schedule = schedule;
  }

  /** Call `wake` after each batch in which `key` changed; return how to stop. */
  watch(key: string, wake: Wake): () => void {
    const readers = this.#readers.get(key) ?? new Set();
    this.#readers.set(key, readers.add(wake));
    return () => {
      readers.delete(wake);
      if (readers.size === 0 && this.#readers.get(key) === readers) this.#readers.delete(key);
    };
  }

  /** What `key` stands for has changed. */
  touch(key: string): void {
    this.#changed.add(key);
    if (this.#asked) return;
    this.#asked = true;
    this.#schedule(() => {
      this.#asked = false;
      const changed = this.#changed;
      this.#changed = new Set();
      // Copies, because a reader may come or go while we wake the others.
      for (const one of changed) for (const wake of [...(this.#readers.get(one) ?? [])]) wake();
    });
  }
}
