/** What the connection has to be told to follow, counted: told once at the first wish, taken back after the last. */
import type { ClientFrame } from "./frames.js";
import { once } from "./once.js";

export type Wish = { readonly channel: string } | { readonly tourId: string };

export class Follows {
  readonly #send: (frame: ClientFrame) => boolean;
  readonly #wishes = new Map<string, { readonly wish: Wish; count: number; told: boolean }>();
  /** May a wish of this kind be told on the connection as it is? */
  #allowed: (wish: Wish) => boolean = () => false;

  constructor(send: (frame: ClientFrame) => boolean) {
    this.#send = send;
  }

  /** Follow until the returned function is called. */
  add(wish: Wish): () => void {
    const name = JSON.stringify(wish);
    const entry = this.#wishes.get(name) ?? { wish, count: 0, told: false };
    this.#wishes.set(name, entry);
    entry.count += 1;
    this.#tell(entry);
    return once(() => {
      entry.count -= 1;
      if (entry.count > 0) return;
      this.#wishes.delete(name);
      if (entry.told) this.#send({ type: "UNSUBSCRIBE", ...wish });
    });
  }

  /** Ids of the tours that somebody reads. */
  readonly tours = (): readonly string[] =>
    [...this.#wishes.values()].flatMap(({ wish }) => ("tourId" in wish ? [wish.tourId] : []));

  /** A new connection knows nothing but `told`: tell it every wish that is `allowed`, now and from now on. */
  connected(allowed: (wish: Wish) => boolean, told: readonly string[]): void {
    this.#allowed = allowed;
    for (const entry of this.#wishes.values()) {
      entry.told = "tourId" in entry.wish && told.includes(entry.wish.tourId);
      this.#tell(entry);
    }
  }

  lost(): void {
    this.#allowed = () => false;
    for (const entry of this.#wishes.values()) entry.told = false;
  }

  #tell(entry: { readonly wish: Wish; told: boolean }): void {
    if (!entry.told && this.#allowed(entry.wish)) entry.told = this.#send({ type: "SUBSCRIBE", ...entry.wish });
  }
}
