/**
 * The bookings made in this tab, kept over a reload: without sign-in, a booking's id is the only key to it.
 *
 * The other half is making one: `useBooking` is the form's conversation with the service.
 */
import type { Booking } from "@seatcast/client";
import { useClient } from "@seatcast/client/react";
import { createContext, use, useCallback, useReducer } from "react";
import { type Api, Refused, type Wish } from "./api";

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = use(ApiContext);
  if (api === null) throw new Error("no ApiContext around this component");
  return api;
}

// Bookings of this tab

export interface Bookings {
  readonly all: readonly Booking[];
  /** Add a booking, or replace the one of its id. */
  readonly put: (booking: Booking) => void;
  readonly dismiss: (bookingId: string) => void;
}

export const BookingsContext = createContext<Bookings>({ all: [], put: () => undefined, dismiss: () => undefined });

const STORAGE_KEY = "seatcast.bookings";

type Change = { readonly put: Booking } | { readonly dismiss: string };

/** The state behind `BookingsContext`: what `person` booked here, "" for whoever is not signed in. */
export function useBookingsOfTab(storage: Storage | null, person: string): Bookings {
  const key = person === "" ? STORAGE_KEY : `${STORAGE_KEY}.${person}`;
  const [all, change] = useReducer(
    (known: readonly Booking[], step: Change) => {
      const id = "put" in step ? step.put.id : step.dismiss;
      const others = known.filter((booking) => booking.id !== id);
      const next = "put" in step ? [...others, step.put] : others;
      keep(storage, key, next);
      return next;
    },
    null,
    () => recall(storage, key),
  );
  const put = useCallback((booking: Booking) => change({ put: booking }), []);
  const dismiss = useCallback((bookingId: string) => change({ dismiss: bookingId }), []);
  return { all, put, dismiss };
}

function recall(storage: Storage | null, key: string): readonly Booking[] {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(key) ?? "[]");
    return Array.isArray(kept) ? (kept as Booking[]) : [];
  } catch {
    return [];
  }
}

function keep(storage: Storage | null, key: string, bookings: readonly Booking[]): void {
  try {
    storage?.setItem(key, JSON.stringify(bookings));
  } catch {
    // A full or forbidden storage costs the memory over a reload, nothing else.
  }
}

// Making one

export type Attempt =
  | { readonly kind: "none" }
  | { readonly kind: "sending"; readonly wish: Wish; readonly key: string }
  /** `sentence` is the service's own, in the caller's language; `left` the seats it says there are. */
  | { readonly kind: "refused"; readonly sentence: string; readonly left: number | null }
  /** Nobody knows whether it was done: `again` asks the same with the same key. */
  | { readonly kind: "unanswered"; readonly wish: Wish; readonly key: string };

export interface BookingForm {
  readonly attempt: Attempt;
  /** A click: a new wish, a new key. Resolves to whether it was booked. */
  readonly book: (wish: Wish) => Promise<boolean>;
  readonly again: () => Promise<boolean>;
  readonly forget: () => void;
}

const NO_ATTEMPT: Attempt = { kind: "none" };

export function useBooking(): BookingForm {
  const api = useApi();
  const client = useClient();
  const { put } = use(BookingsContext);
  const [attempt, setAttempt] = useReducer((_: Attempt, next: Attempt) => next, NO_ATTEMPT);

  const send = useCallback(
    async (wish: Wish, key: string): Promise<boolean> => {
      setAttempt({ kind: "sending", wish, key });
      const { epoch } = client;
      try {
        const { booking, availability } = await api.book(wish, key);
        client.learn(availability, epoch);
        put(booking);
        setAttempt(NO_ATTEMPT);
        return true;
      } catch (error) {
        setAttempt(error instanceof Refused ? refusal(error) : { kind: "unanswered", wish, key });
        return false;
      }
    },
    [api, client, put],
  );
  const book = useCallback((wish: Wish) => send(wish, newKey()), [send]);
  const again = useCallback(
    async () => (attempt.kind === "unanswered" ? send(attempt.wish, attempt.key) : false),
    [attempt, send],
  );
  const forget = useCallback(() => setAttempt(NO_ATTEMPT), []);
  return { attempt, book, again, forget };
}

function refusal(error: Refused): Attempt {
  const left = error.code === "NOT_ENOUGH_SEATS" ? error.details["availableSeats"] : null;
  return { kind: "refused", sentence: error.message, left: typeof left === "number" ? left : null };
}

/** 128 random bits. (`crypto.randomUUID` is missing on pages served over plain HTTP to another machine.) */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
