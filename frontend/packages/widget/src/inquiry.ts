/** What became of a tour that is not on sale: the service is asked about that one, and again now and then. */
import type { Client } from "@seatcast/client";
import { HttpError, isTour } from "@seatcast/client";

export type Fate = { readonly kind: "unknown" } | { readonly kind: "closed"; readonly name: string };

/** A tour that was just opened is about to arrive by itself. */
export const FIRST_MS = 1_000;
/** The gateway follows no tour that does not exist, so nobody tells when it comes to be. */
export const AGAIN_MS = 60_000;

const NOT_FOUND = 404;

export class Inquiry {
  readonly #client: Client;
  readonly #tourId: string;
  readonly #told: (fate: Fate | "open") => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** `told` is called with each answer, until `stop` is called. */
  constructor(client: Client, tourId: string, told: (fate: Fate | "open") => void) {
    this.#client = client;
    this.#tourId = tourId;
    this.#told = told;
    this.#later(FIRST_MS);
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const fate = await this.#read();
    if (this.#over) return;
    if (fate !== null) this.#told(fate);
    if (!this.#over) this.#later(AGAIN_MS);
  }

  /** Null where there is no answer. */
  async #read(): Promise<Fate | "open" | null> {
    try {
      const { body } = await this.#client.request(`/api/tours/${encodeURIComponent(this.#tourId)}`);
      if (!isTour(body)) return null;
      return body.closed === true ? { kind: "closed", name: body.name } : "open";
    } catch (error) {
      return error instanceof HttpError && error.status === NOT_FOUND ? { kind: "unknown" } : null;
    }
  }
}
