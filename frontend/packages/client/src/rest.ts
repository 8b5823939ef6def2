/** Requests to the tour service. */
import type { Clock } from "./backoff.js";
import { isTour, type Snapshot } from "./wire.js";

/** The service answered with a status that is no success; `body` is what it said about it. */
export class HttpError extends Error {
  declare readonly status: number;
  declare readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`status ${status}`);
    this.status = status;
    this.body = body;
  }
}

export interface RestOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** What all routes begin with: "" for the page's own origin. */
  readonly base: string;
  readonly token: () => Promise<string | null>;
  /** The language of the sentences in refusals; null leaves it to the browser. */
  readonly language: () => string | null;
}

export interface Answer {
  readonly body: unknown;
  readonly headers: Headers;
}

export const ANSWER_MS = 10_000;

/** Make a request of the caller's: JSON in, JSON out, within `ANSWER_MS`. Rejects with `HttpError` or any other error. */
export type Request = (path: string, init?: RequestInit) => Promise<Answer>;

export function requests({ fetch, clock, base, token, language }: RestOptions): Request {
  return async (path, init = {}) => {
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    const timer = clock.setTimeout(abort, ANSWER_MS);
    init.signal?.addEventListener("abort", abort);
    try {
      const headers = new Headers(init.headers);
      const [bearer, spoken] = [await token(), language()];
      if (bearer !== null) headers.set("Authorization", `Bearer ${bearer}`);
      if (spoken !== null) headers.set("Accept-Language", spoken);
      if (init.body) headers.set("Content-Type", "application/json");
      const answer = await fetch(base + path, { ...init, headers, cache: "no-store", signal: giveUp.signal });
      const body: unknown = await answer.json();
      if (!answer.ok) throw new HttpError(answer.status, body);
      return { body, headers: answer.headers };
    } finally {
      clock.clearTimeout(timer);
    }
  };
}

/** Reads tours; `watched` returns the ids of those that somebody watches. Rejects when there is no answer or not a good one. */
export type ReadTours = (request: Request, signal: AbortSignal, watched: () => readonly string[]) => Promise<Snapshot>;

/** All open tours at one instant. */
export async function readTours(request: Request, signal: AbortSignal): Promise<Snapshot> {
  const { body, headers } = await request("/api/tours", { signal });
  return { epoch: headers.get("Seatcast-Epoch"), tours: (body as unknown[]).filter(isTour) };
}
