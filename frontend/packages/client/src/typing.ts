/** Who is writing in a conversation: told to the other side, and heard from it. */
import type { Client } from "./client.js";

/** After a CHAT_TYPING somebody counts as writing for so long, and says so again after half of it. */
export const TYPING_MS = 5_000;

export class Typing {
  readonly #client: Client;
  readonly #changed: () => void;
  #who: string | null = null;
  #timer: unknown = null;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(client: Client, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** Who is writing; null for nobody. */
  get who(): string | null {
    return this.#who;
  }

  heard(from: string): void {
    if (from === this.#client.userId()) return;
    this.stop();
    this.#who = from;
    this.#timer = this.#client.clock.setTimeout(() => this.stop(), TYPING_MS);
    this.#changed();
  }

  stop(): void {
    if (this.#who === null) return;
    this.#client.clock.clearTimeout(this.#timer);
    this.#who = null;
    this.#changed();
  }

  /** What was being written has been said: whoever goes on writing is heard at once. */
  said(): void {
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  /** The person here is writing: say so, now and then. */
  tell(to: string): void {
    const now = this.#client.clock.now();
    if (now - this.#toldAt < TYPING_MS / 2) return;
    this.#toldAt = now;
    this.#client.send({ type: "CHAT_TYPING", to });
  }
}
