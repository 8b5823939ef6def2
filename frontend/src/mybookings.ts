/**
 * The bookings of whoever is signed in, page by page, the newest first; and from then on as they are made and cancelled,
 * here or anywhere else.
 */
import type { Booking } from "@seatcast/client";
import { useConnectionStatus, useMessages } from "@seatcast/client/react";
import { useCallback, useEffect, useReducer } from "react";
import { PAGE, Refused } from "./api";
import { joined, useApi } from "./bookings";

export interface MyBookings {
  readonly list: readonly Booking[];
  /** Of the last reading. While there is a list, it stays. */
  readonly state: "reading" | "read" | "unanswered" | "refused";
  /** Why, in the service's words, when it refused. */
  readonly refusal: string | null;
  /** Are there older ones to read? */
  readonly older: boolean;
  readonly readOlder: () => void;
  /** Read the newest again. */
  readonly again: () => void;
  readonly put: (booking: Booking) => void;
}

type Known = Pick<MyBookings, "list" | "state" | "refusal" | "older">;

type Step =
  | { readonly kind: "reading" }
  | { readonly kind: "failed"; readonly refusal: string | null }
  | { readonly kind: "page"; readonly page: readonly Booking[]; readonly first: boolean }
  | { readonly kind: "booking"; readonly booking: Booking };

const NOTHING: Known = { list: [], state: "reading", refusal: null, older: false };

export function useMyBookings(): MyBookings {
  const api = useApi();
  const [known, learn] = useReducer(learned, NOTHING);
  const live = useConnectionStatus().kind === "connected";

  const read = useCallback(
    async (before: string | null): Promise<void> => {
      learn({ kind: "reading" });
      try {
        learn({ kind: "page", page: await api.bookings(before), first: before === null });
      } catch (error) {
        learn({ kind: "failed", refusal: error instanceof Refused ? error.message : null });
      }
    },
    [api],
  );
  // Once more with each connection: what was said while there was none is in no message.
  useEffect(() => void read(null), [read, live]);

  const put = useCallback((booking: Booking) => learn({ kind: "booking", booking }), []);
  const heard = ({ bookingId }: { readonly bookingId: string }): void => {
    // A message does not say all of it. Where it cannot be read, the next connection reads the list.
    api.booking(bookingId).then(put, () => undefined);
  };
  useMessages("BOOKING_CONFIRMED", heard);
  useMessages("BOOKING_CANCELLED", heard);
  useMessages("HOLD_EXPIRED", heard);

  const readOlder = useCallback(() => void read(known.list.at(-1)?.id ?? null), [read, known.list]);
  const again = useCallback(() => void read(null), [read]);
  return { ...known, readOlder, again, put };
}

function learned(known: Known, step: Step): Known {
  switch (step.kind) {
    case "reading":
      return { ...known, state: "reading" };
    case "failed":
      return { ...known, state: step.refusal === null ? "unanswered" : "refused", refusal: step.refusal };
    case "booking":
      return { ...known, list: merged(known.list, [step.booking]) };
    case "page": {
      const { page, first } = step;
      const full = page.length === PAGE;
      // The newest once more: they say nothing of how many older ones there are, unless none of them was known.
      const meets = first && page.some(({ id }) => known.list.some((booking) => booking.id === id));
      const list = first && full && !meets ? page : merged(known.list, page);
      return { list, state: "read", refusal: null, older: meets ? known.older : full };
    }
  }
}

function merged(known: readonly Booking[], more: readonly Booking[]): readonly Booking[] {
  const byId = new Map(known.map((booking) => [booking.id, booking]));
  for (const booking of more) byId.set(booking.id, joined(byId.get(booking.id), booking));
  return [...byId.values()].sort(newestFirst);
}

/** The service's own order. */
export function newestFirst(a: Booking, b: Booking): number {
  return compare(b.createdAt, a.createdAt) || compare(b.id, a.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
