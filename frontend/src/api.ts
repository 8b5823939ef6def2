/** The service's REST routes as the page uses them. Errors are two: it refused (and said why), or there was no answer. */
import type { Clock } from "./live/backoff";
import { type BookResponse, type Booking, isAvailability, isTour, type Problem, type Snapshot } from "./wire";

/** The service understood and said no. Nothing has changed. */
export class Refused extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(problem: Problem) {
    super(problem.error);
    this.name = "Refused";
    this.code = problem.code;
    this.details = problem.details ?? {};
  }
}

/** No answer, or none to rely on: what was asked may or may not have been done. The same request may be repeated. */
export class Unanswered extends Error {
  constructor() {
    super("no answer");
    this.name = "Unanswered";
  }
}

export interface Wish {
  readonly tourId: string;
  readonly departureId: string | null;
  readonly seats: number;
}

export interface Config {
  readonly websocketUrl: string | null;
  readonly websocketPort: number;
}

export interface ApiOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: () => number;
  /** The page's language, for the sentences in refusals. */
  readonly language: () => string;
}

export const EPOCH_HEADER = "Seatcast-Epoch";
export const ANSWER_MS = 10_000;
/** Tries of one booking or cancellation before we say that there is no answer. */
export const TRIES = 3;
const BETWEEN_TRIES_MS = 1_000;
const USUAL_PORT = 8080;

export class Api {
  readonly #options: ApiOptions;
  #config: Config = { websocketUrl: null, websocketPort: USUAL_PORT };

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** All open tours at one instant. Rejects with `Unanswered` or `Refused`. */
  async tours(signal: AbortSignal): Promise<Snapshot> {
    const { body, headers } = await this.#ask("/api/tours", { signal });
    if (!Array.isArray(body)) throw new Unanswered();
    return { epoch: headers.get(EPOCH_HEADER), tours: body.filter(isTour) };
  }

  /** How to reach the gateway: as the service says, as it last said, or on the usual port. Never rejects. */
  async config(): Promise<Config> {
    try {
      const { websocketUrl, websocketPort } = (await this.#ask("/api/config", {})).body as Partial<Config>;
      this.#config = {
        websocketUrl: typeof websocketUrl === "string" ? websocketUrl : null,
        websocketPort: typeof websocketPort === "number" ? websocketPort : USUAL_PORT,
      };
    } catch {
      // What we knew before is the best guess.
    }
    return this.#config;
  }

  /** Book. `key` names the person's click: with the same key, however often this is asked, there is one booking. */
  async book(wish: Wish, key: string): Promise<BookResponse> {
    const answer = await this.#insist(`/api/tours/${encodeURIComponent(wish.tourId)}/book`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify({
        seatsToBook: wish.seats,
        ...(wish.departureId === null ? {} : { departureId: wish.departureId }),
      }),
    });
    const body = answer as Partial<BookResponse>;
    if (body.booking === undefined || !isAvailability(body.availability)) throw new Unanswered();
    return body as BookResponse;
  }

  /** Give the seats back. Cancelling twice is cancelling once. */
  async cancel(bookingId: string): Promise<Booking> {
    return (await this.#insist(`/api/bookings/${encodeURIComponent(bookingId)}`, { method: "DELETE" })) as Booking;
  }

  /** Ask for something that may safely be repeated, until there is an answer or three tries had none. */
  async #insist(path: string, init: RequestInit): Promise<unknown> {
    for (let tried = 1; ; tried += 1) {
      try {
        return (await this.#ask(path, init)).body;
      } catch (error) {
        if (!(error instanceof Unanswered) || tried === TRIES) throw error;
        await this.#pause(BETWEEN_TRIES_MS * tried * (0.5 + this.#options.random()));
      }
    }
  }

  /** One request: headers and body of a good answer, within `ANSWER_MS`. */
  async #ask(path: string, init: RequestInit): Promise<{ body: unknown; headers: Headers }> {
    const { fetch, clock, language } = this.#options;
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    const timer = clock.setTimeout(abort, ANSWER_MS);
    init.signal?.addEventListener("abort", abort);
    let answer: Response;
    let body: unknown;
    try {
      const headers = { Accept: "application/json", "Accept-Language": language(), ...init.headers };
      answer = await fetch(path, { ...init, headers, cache: "no-store", signal: giveUp.signal });
      body = await answer.json();
    } catch {
      // No network, too late, or not JSON: a proxy's page, perhaps.
      throw new Unanswered();
    } finally {
      clock.clearTimeout(timer);
      init.signal?.removeEventListener("abort", abort);
    }
    if (answer.ok) return { body, headers: answer.headers };
    const problem = body as Partial<Problem> | null;
    const repeatable = answer.status >= 500 || answer.status === 429 || answer.status === 408;
    if (repeatable || typeof problem?.error !== "string" || typeof problem.code !== "string") throw new Unanswered();
    throw new Refused(problem as Problem);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, ms));
  }
}
