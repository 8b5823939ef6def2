/** What the page asks of the service. Errors are two: it refused (and said why), or there was no answer. */
import {
  type BookResponse,
  type Booking,
  HttpError,
  isAvailability,
  type Problem,
  type Request,
  type ShopMetrics,
  type Tour,
} from "@seatcast/client";

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

export interface ApiOptions {
  readonly request: Request;
  readonly random: () => number;
}

/** Tries of one booking or cancellation before we say that there is no answer. */
export const TRIES = 3;
/** Bookings in one page of the list. */
export const PAGE = 20;
const BETWEEN_TRIES_MS = 1_000;

export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Book. `key` names the person's click: with the same key, however often this is asked, there is one booking. */
  async book(wish: Wish, key: string): Promise<BookResponse> {
    const answer = await this.insist(`/api/tours/${encodeURIComponent(wish.tourId)}/book`, {
      method: "POST",
      headers: { "Idempotency-Key": key },
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
    return (await this.insist(`/api/bookings/${encodeURIComponent(bookingId)}`, { method: "DELETE" })) as Booking;
  }

  /** How the shop stands, and each tour: for the role `admin`. Asked once, since whoever watches asks again anyway. */
  async metrics(): Promise<ShopMetrics> {
    const body = (await ask(this.#options.request, "/api/metrics")) as Partial<ShopMetrics> | null;
    if (!Array.isArray(body?.tours) || typeof body.timestamp !== "string") throw new Unanswered();
    return body as ShopMetrics;
  }

  /** One booking: the caller's own, or one made without sign-in. */
  async booking(bookingId: string): Promise<Booking> {
    return (await this.insist(`/api/bookings/${encodeURIComponent(bookingId)}`, {})) as Booking;
  }

  /** A page of the signed-in caller's bookings, the newest first; those older than `before`, a booking's id. */
  async bookings(before: string | null): Promise<readonly Booking[]> {
    const older = before === null ? "" : `&before=${encodeURIComponent(before)}`;
    return (await ask(this.#options.request, `/api/bookings?limit=${PAGE}${older}`)) as readonly Booking[];
  }

  /** One tour, also one that is closed; null where there is none. */
  async tour(tourId: string): Promise<Tour | null> {
    try {
      return (await ask(this.#options.request, `/api/tours/${encodeURIComponent(tourId)}`)) as Tour;
    } catch (error) {
      if (error instanceof Refused && error.code === "TOUR_NOT_FOUND") return null;
      throw error;
    }
  }

  /** Ask for something that may safely be repeated, until there is an answer or three tries had none. */
  readonly insist = async (path: string, init?: RequestInit): Promise<unknown> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await ask(this.#options.request, path, init);
      } catch (error) {
        if (!(error instanceof Unanswered) || tried === TRIES) throw error;
        await pause(BETWEEN_TRIES_MS * tried * (0.5 + this.#options.random()));
      }
    }
  };
}

/** Ask the service, once. Resolves to the answer's body; rejects with `Refused` or `Unanswered`. */
export async function ask(request: Request, path: string, init?: RequestInit): Promise<unknown> {
  try {
    return (await request(path, init)).body;
  } catch (error) {
    // No network, too late, or not JSON: a proxy's page, perhaps.
    if (!(error instanceof HttpError)) throw new Unanswered();
    const problem = error.body as Partial<Problem> | null;
    const repeatable = error.status >= 500 || error.status === 429 || error.status === 408;
    if (repeatable || typeof problem?.error !== "string" || typeof problem.code !== "string") throw new Unanswered();
    throw new Refused(problem as Problem);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
