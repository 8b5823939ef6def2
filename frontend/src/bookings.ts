/**
 * The bookings made in this tab. Without sign-in a booking's id is the only key to it, so those are kept over a reload;
 * those of somebody who is signed in are with the service, and here only until the page is closed.
 */
import type { Booking } from "@seatcast/client";
import { useMessages } from "@seatcast/client/react";
import { createContext, use, useCallback, useReducer } from "react";
import type { Api } from "./api";
import { useSession } from "./session";

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = use(ApiContext);
  if (api === null) throw new Error("no ApiContext around this component");
  return api;
}

export interface Kept extends Booking {
  /** Whose it is; absent for one that was made without sign-in. */
  readonly userId?: string;
  /** Its receipt was put away. */
  readonly closed?: boolean;
}

export interface Bookings {
  /** Those that whoever is signed in now may see, in the order in which they were made. */
  readonly all: readonly Kept[];
  /** A booking was made, by this user or by nobody in particular. */
  readonly add: (booking: Booking, userId: string | null) => void;
  /** What is known of a booking is another thing now; one that was not made here is not added. */
  readonly update: (booking: Booking) => void;
  /** Put the receipt away. */
  readonly close: (bookingId: string) => void;
}

const nothing = (): void => undefined;
export const BookingsContext = createContext<Bookings>({ all: [], add: nothing, update: nothing, close: nothing });

/** Of two reports of one booking the one that holds: what is cancelled stays cancelled, whichever report came last. */
export function joined<Known extends Booking>(known: Known | undefined, next: Known): Known {
  return known?.status === "cancelled" ? known : next;
}

const STORAGE_KEY = "seatcast.bookings";

type Change =
  | { readonly add: Kept }
  | { readonly update: Booking }
  | { readonly cancelled: string; readonly at: string }
  | { readonly close: string };

function changed(known: readonly Kept[], step: Change): readonly Kept[] {
  if ("add" in step && !known.some(({ id }) => id === step.add.id)) return [...known, step.add];
  return known.map((booking) => {
    if ("close" in step) return booking.id === step.close ? { ...booking, closed: true } : booking;
    if ("cancelled" in step) {
      if (booking.id !== step.cancelled) return booking;
      return joined(booking, { ...booking, status: "cancelled", cancelledAt: step.at });
    }
    const next = "add" in step ? step.add : step.update;
    return booking.id === next.id ? joined(booking, { ...booking, ...next }) : booking;
  });
}

/** The state behind `BookingsContext`. */
export function useBookingsOfTab(storage: Storage | null): Bookings {
  const userId = useSession()?.userId;
  const [known, change] = useReducer(
    (before: readonly Kept[], step: Change) => {
      const next = changed(before, step);
      keep(storage, next);
      return next;
    },
    storage,
    recall,
  );
  const add = useCallback(
    (booking: Booking, by: string | null) => change({ add: by === null ? booking : { ...booking, userId: by } }),
    [],
  );
  const update = useCallback((booking: Booking) => change({ update: booking }), []);
  const close = useCallback((bookingId: string) => change({ close: bookingId }), []);
  useMessages("BOOKING_CANCELLED", ({ bookingId, timestamp }) => change({ cancelled: bookingId, at: timestamp }));
  const all = known.filter((booking) => booking.userId === undefined || booking.userId === userId);
  return { all, add, update, close };
}

function recall(storage: Storage | null): readonly Kept[] {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(kept) ? (kept as Kept[]) : [];
  } catch {
    return [];
  }
}

function keep(storage: Storage | null, bookings: readonly Kept[]): void {
  try {
    storage?.setItem(STORAGE_KEY, JSON.stringify(bookings.filter(({ userId }) => userId === undefined)));
  } catch {
    // A full or forbidden storage costs the memory over a reload, nothing else.
  }
}
