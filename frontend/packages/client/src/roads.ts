/** Which road to try next: a WebSocket, unless it seems to be blocked. */

/** A WebSocket, Server-Sent Events, or long polling. The latter two bring seats alone, and carry nothing back. */
export type Via = "socket" | "stream" | "poll";

/** Failures in a row after which WebSockets count as blocked: sooner where none has ever got through. */
export const BLOCKED_AFTER = { never: 2, once: 5 } as const;

export class Roads {
  readonly #roads: readonly Via[];
  #at = 0;
  /** Failures in a row on this road. */
  #misses = 0;
  #socketWorked = false;

  /** The roads to try when one after the other fails; begins with "socket". */
  constructor(roads: readonly Via[]) {
    this.#roads = roads;
  }

  get next(): Via {
    return this.#roads[this.#at] ?? "socket";
  }

  /** We are connected, by this road. */
  welcomed(via: Via): void {
    this.#misses = 0;
    if (via !== "socket") return;
    this.#socketWorked = true;
    this.#at = 0;
  }

  /** An attempt failed, which counts `times` times. */
  missed(times: number): void {
    this.#misses += times;
    // A gateway that restarts is no reason to leave a road that has worked.
    const { once, never } = BLOCKED_AFTER;
    if (this.#misses < (this.next !== "socket" ? 1 : this.#socketWorked ? once : never)) return;
    this.#misses = 0;
    this.#at = (this.#at + 1) % this.#roads.length;
  }
}
