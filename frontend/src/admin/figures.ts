/** What the live figures say, told by METRICS_UPDATE or by `GET /api/metrics`, as tiles and charts want it. */
import type { FiguresOfTour, ShopMetrics, TourView } from "@seatcast/client";

/** What both roads tell. Those of another publisher may have the first three fields alone. */
export type Figures = Omit<ShopMetrics, "tours">;

export interface Amount {
  /** null where nobody said which. */
  readonly currency: string | null;
  readonly amount: number;
}

/** The newer of two, by the clock of the database that they were read from; `told` where it is one and the same. */
export function newest(told: Figures | null, read: Figures | null): Figures | null {
  if (told === null || read === null) return told ?? read;
  return told.timestamp >= read.timestamp ? told : read;
}

/** What the confirmed bookings cost, by currency, the main one first: amounts in different ones are never added up. */
export function revenueOf({ revenue, currency, totalRevenue }: Figures): readonly Amount[] {
  const others = Object.entries(revenue ?? {}).filter(([other]) => other !== currency);
  return [
    { currency: currency ?? null, amount: totalRevenue },
    ...others.map(([other, amount]) => ({ currency: other, amount })),
  ];
}

/** Connections of all gateways; null while nobody says. */
export function connectionsOf({ gateways }: Figures): number | null {
  return gateways?.reduce((sum, { connections }) => sum + connections, 0) ?? null;
}

/** Does anything that a tour's own figures are made of stand otherwise in one than in the other? */
export function soldDiffers(one: Figures, other: Figures): boolean {
  const sold = ({ activeBookings, totalRevenue, revenue, seatsSold, seatsHeld }: Figures): string =>
    JSON.stringify([activeBookings, totalRevenue, revenue, seatsSold, seatsHeld]);
  return sold(one) !== sold(other);
}

/** The seats of a tour's open departures. */
export type TourSeats = Pick<FiguresOfTour, "capacity" | "sold" | "held" | "availableSeats">;

/** The seats of a tour: as they were read, or as they are live where a fact is newer than the reading (`readAt`). */
export function seatsOf(read: FiguresOfTour, readAt: string, live: TourView | null): TourSeats {
  if (live === null || live.capacity === null || live.held === null) return read;
  if (live.timestamp === null || live.timestamp <= readAt) return read;
  const { capacity, held, availableSeats } = live;
  return { capacity, held, availableSeats, sold: Math.max(0, capacity - held - availableSeats) };
}
