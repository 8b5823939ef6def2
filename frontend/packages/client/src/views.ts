/** What is kept of a tour, and what readers are shown of it. */
import type { Fact } from "./fact.js";

export interface DepartureView {
  readonly id: string;
  readonly startsAt: string;
  readonly availableSeats: number;
  readonly capacity: number;
  /** Reserved and not paid for yet, neither sold nor left; absent where nobody said. */
  readonly held?: number;
}

export interface TourView {
  readonly id: string;
  readonly name: string;
  readonly availableSeats: number;
  readonly capacity: number | null;
  /** Seats kept for bookings under way: neither left nor sold. */
  readonly held: number | null;
  readonly price: number | null;
  readonly currency: string | null;
  readonly timeZone: string | null;
  /** When its seats last changed, ISO-8601 UTC; null where nobody said. */
  readonly timestamp: string | null;
  /** Open ones, by start; empty on an undated tour. */
  readonly departures: readonly DepartureView[];
}

export interface Seats {
  readonly name: string | undefined;
  readonly availableSeats: number;
  readonly capacity: number | undefined;
  readonly held: number | undefined;
}

/** What only REST tells. */
export interface About {
  readonly version: number;
  readonly name: string;
  readonly price: number | null;
  readonly currency: string | null;
  readonly timeZone: string | null;
}

/** `arrived` numbers the facts in the order we accepted them: see `applySnapshot`. */
type Known<Value> = Fact<Value> & { readonly arrived: number };

export interface Entry {
  seats?: Known<Seats>;
  about?: About;
  readonly departures: Map<string, Known<DepartureView>>;
  /** null: not shown (closed, or not known well enough); undefined: to be made anew. */
  view: TourView | null | undefined;
  /** The name under which the list shows it, null when it does not. */
  listed: string | null;
}

/** The name under which the list shows the tour, or null when it is closed or only a departure of it is known. */
export function listedName(id: string, { seats, about }: Entry): string | null {
  if (!seats?.value) return null;
  const told = seats.value.name;
  return about === undefined || (told !== undefined && seats.version >= about.version) ? (told ?? id) : about.name;
}

/** The view of a tour as it now stands, or null when it is not shown. */
export function viewOf(id: string, entry: Entry): TourView | null {
  const name = listedName(id, entry);
  const { seats, about } = entry;
  if (name === null || !seats?.value) return null;
  const departures = [...entry.departures.values()].flatMap(({ value }) => (value === null ? [] : [value]));
  departures.sort((a, b) => (a.startsAt + a.id < b.startsAt + b.id ? -1 : 1));
  return {
    id,
    name,
    availableSeats: seats.value.availableSeats,
    capacity: seats.value.capacity ?? null,
    held: seats.value.held ?? null,
    price: about?.price ?? null,
    currency: about?.currency ?? null,
    timeZone: about?.timeZone ?? null,
    timestamp: seats.timestamp || null,
    departures,
  };
}
