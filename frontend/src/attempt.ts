/**
 * One booking being made: the form's conversation with the service.
 *
 * That it was made is said on two roads: in the answer, and to whoever is signed in by BOOKING_CONFIRMED as well. The
 * first to come is enough, and both together are one booking.
 */
import type { Booking, BookingConfirmed } from "@seatcast/client";
import { useClient, useMessages } from "@seatcast/client/react";
import { use, useCallback, useEffect, useRef, useState } from "react";
import { Refused, type Wish } from "./api";
import { BookingsContext, useApi } from "./bookings";
import { newKey } from "./key";
import { useSession } from "./session";

export type Attempt =
  | { readonly kind: "none" }
  | { readonly kind: "sending" }
  /** `sentence` is the service's own, in the caller's language; `left` the seats it says there are. */
  | { readonly kind: "refused"; readonly sentence: string; readonly left: number | null }
  /** Nobody knows whether it was done: `again` asks the same with the same key. */
  | { readonly kind: "unanswered" };

export interface Booker {
  readonly attempt: Attempt;
  /** A click: a new wish, a new key. */
  readonly book: (wish: Wish) => Promise<void>;
  readonly again: () => Promise<void>;
  readonly forget: () => void;
}

interface Asked {
  readonly wish: Wish;
  readonly key: string;
}

const NO_ATTEMPT: Attempt = { kind: "none" };

/** How long the answer may still take once BOOKING_CONFIRMED is here: mostly both come at the same moment. */
const ANSWER_FIRST_MS = 1_000;

/** `onBooked` is called once for each booking that was made. */
export function useBooking(onBooked: (booking: Booking) => void): Booker {
  const api = useApi();
  const client = useClient();
  const userId = useSession()?.userId ?? null;
  const { all, add } = use(BookingsContext);
  const [attempt, setAttempt] = useState(NO_ATTEMPT);
  /** What was asked and is not answered yet. */
  const open = useRef<Asked | null>(null);
  const newest = useRef(onBooked);
  useEffect(() => {
    newest.current = onBooked;
  });

  const settle = useCallback(
    (asked: Asked, booking: Booking) => {
      add(booking, userId);
      if (open.current !== asked) return;
      open.current = null;
      setAttempt(NO_ATTEMPT);
      newest.current(booking);
    },
    [add, userId],
  );

  const ask = useCallback(
    async (asked: Asked): Promise<void> => {
      open.current = asked;
      setAttempt({ kind: "sending" });
      const { epoch } = client;
      try {
        const { booking, availability } = await api.book(asked.wish, asked.key);
        client.learn(availability, epoch);
        settle(asked, booking);
      } catch (error) {
        if (open.current !== asked) return;
        if (error instanceof Refused) open.current = null;
        setAttempt(error instanceof Refused ? refusal(error) : { kind: "unanswered" });
      }
    },
    [api, client, settle],
  );

  useMessages("BOOKING_CONFIRMED", (frame) => {
    const asked = open.current;
    if (asked === null || !isWhat(asked.wish, frame) || all.some(({ id }) => id === frame.bookingId)) return;
    setTimeout(() => {
      if (open.current !== asked) return;
      // Without an answer here either it stays unanswered, and may be asked again with its key.
      api.booking(frame.bookingId).then(
        (booking) => settle(asked, booking),
        () => undefined,
      );
    }, ANSWER_FIRST_MS);
  });

  const book = useCallback((wish: Wish) => ask({ wish, key: newKey() }), [ask]);
  const again = useCallback(async () => {
    if (open.current !== null) await ask(open.current);
  }, [ask]);
  const forget = useCallback(() => {
    open.current = null;
    setAttempt(NO_ATTEMPT);
  }, []);
  return { attempt, book, again, forget };
}

/** Does a confirmation say what was wished for? It does not name the click it came from. */
function isWhat({ tourId, departureId, seats }: Wish, frame: BookingConfirmed): boolean {
  return frame.tourId === tourId && (frame.departureId ?? null) === departureId && frame.seats === seats;
}

function refusal(error: Refused): Attempt {
  const left = error.code === "NOT_ENOUGH_SEATS" ? error.details["availableSeats"] : null;
  return { kind: "refused", sentence: error.message, left: typeof left === "number" ? left : null };
}
