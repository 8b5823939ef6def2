/** Something that is read from the service, and again whenever there is a sign that it may be another by now. */
import { useEffect, useMemo, useState } from "react";

/** Signs that come faster than this are answered together. */
export const AGAIN_MS = 1_500;
/** After a reading that failed. */
export const RETRY_MS = 5_000;

interface Options<Value> {
  readonly read: () => Promise<Value>;
  readonly onRead: (value: Value) => void;
  readonly onFail: (error: unknown) => void;
}

export class Reader<Value> {
  readonly #options: Options<Value>;
  #timer: number | undefined;
  #started = 0;
  #startedAt = -Infinity;
  #newest = 0;
  #stopped = true;

  constructor(options: Options<Value>) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    void this.now();
  }

  /** Read now. Resolves, whatever comes of it, when that is told. */
  readonly now = async (): Promise<void> => {
    this.#forgetTimer();
    const { read, onRead, onFail } = this.#options;
    const turn = ++this.#started;
    this.#startedAt = Date.now();
    const isLate = (): boolean => this.#stopped || turn < this.#newest;
    try {
      const value = await read();
      if (isLate()) return;
      this.#newest = turn;
      onRead(value);
    } catch (error) {
      if (isLate() || turn < this.#started) return;
      onFail(error);
      this.#after(RETRY_MS);
    }
  };

  /** Read soon: many signs of one moment are one reading. */
  readonly soon = (): void => {
    // A page that nobody looks at reads when somebody does.
    if (!this.#stopped && !document.hidden && this.#timer === undefined) this.#after(Math.max(0, this.#startedAt + AGAIN_MS - Date.now()));
  };

  stop(): void {
    this.#stopped = true;
    this.#forgetTimer();
  }

  #after(ms: number): void {
    this.#forgetTimer();
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      void this.now();
    }, ms);
  }

  #forgetTimer(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export interface Reading<Value> {
  /** What was read last; undefined before that. */
  readonly value: Value | undefined;
  /** Why the last reading failed; null where it did not. */
  readonly failure: unknown;
  readonly now: () => Promise<void>;
  readonly soon: () => void;
}

/** Read when the component comes, and when the page is looked at again. `read` is to be the same function each time. */
export function useReading<Value>(read: () => Promise<Value>): Reading<Value> {
  const [known, setKnown] = useState<Pick<Reading<Value>, "value" | "failure">>({ value: undefined, failure: null });
  const reader = useMemo(
    () =>
      new Reader({
        read,
        onRead: (value) => setKnown({ value, failure: null }),
        onFail: (failure) => setKnown(({ value }) => ({ value, failure })),
      }),
    [read],
  );
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) reader.soon();
    };
    reader.start();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      reader.stop();
    };
  }, [reader]);
  return { ...known, now: reader.now, soon: reader.soon };
}
