/** A tour as an operator sees it: what REST tells, with the seats of the live connection where that has them. */
import type { Tour, TourDeparture, TourView } from "@seatcast/client";
import { minorOfPrice } from "./money";

export interface Seats {
  readonly capacity: number;
  readonly sold: number;
  readonly held: number;
  readonly left: number;
}

export interface OperatedDeparture extends Seats {
  readonly id: string;
  readonly startsAt: string;
  readonly closed: boolean;
}

export interface OperatedTour {
  readonly id: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly timeZone: string;
  readonly closed: boolean;
  readonly dated: boolean;
  /** What is on sale; of a closed tour without dates, what would be. */
  readonly seats: Seats;
  /** Sold of departures that are closed. */
  readonly soldBefore: number;
  /** By date; empty without dates. */
  readonly departures: readonly OperatedDeparture[];
}

function seatsOf(capacity: number, left: number, held: number): Seats {
  return { capacity, left, held, sold: Math.max(0, capacity - left - held) };
}

/** `live`: what the connection tells of it, null where it is closed or not known yet. The newer of the two is shown. */
export function operated(tour: Tour, live: TourView | null): OperatedTour {
  const closed = tour.closed === true;
  const dated = tour.departures !== undefined;
  const shown = closed || isOlder(live, tour) ? null : live;
  const { capacity = 0, held = 0, closedSeats } = tour;
  const before = seatsOf(closedSeats?.capacity ?? 0, closedSeats?.availableSeats ?? 0, closedSeats?.held ?? 0);
  const onSale = seatsOf(
    shown?.capacity ?? capacity,
    shown?.availableSeats ?? tour.available_seats,
    shown?.held ?? held,
  );
  return {
    id: tour.id,
    name: shown?.name ?? tour.name,
    priceMinor: minorOfPrice(tour.price ?? 0),
    currency: tour.currency ?? "EUR",
    timeZone: tour.timeZone ?? "UTC",
    closed,
    dated,
    seats: closed && !dated ? before : onSale,
    soldBefore: dated ? before.sold : 0,
    departures: (tour.departures ?? [])
      .map((departure) => departureOf(departure, shown))
      .sort((a, b) => (a.startsAt === b.startsAt ? (a.id < b.id ? -1 : 1) : a.startsAt < b.startsAt ? -1 : 1)),
  };
}

/** While there is no connection, what it told last may be older than what was read since. */
function isOlder(live: TourView | null, tour: Tour): boolean {
  return live !== null && live.timestamp !== null && tour.timestamp !== undefined && live.timestamp < tour.timestamp;
}

function departureOf(departure: TourDeparture, live: TourView | null): OperatedDeparture {
  const closed = departure.closed === true;
  const told = closed ? undefined : live?.departures.find(({ id }) => id === departure.id);
  const { id, startsAt, capacity, availableSeats, held = 0 } = told ?? departure;
  return { id, startsAt, closed, ...seatsOf(capacity, availableSeats, held) };
}
