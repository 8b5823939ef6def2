/** The order of the tours: by a column, ties by name. */
import type { FiguresOfTour } from "@seatcast/client";
import type { Language } from "../text";

export const COLUMNS = ["name", "sold", "held", "availableSeats", "bookings", "revenue"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

export const FIRST_ORDER: Order = { column: "name", descending: false };

/** A column was chosen: figures begin with the most; the same column again turns it around. */
export function nextOrder(order: Order, column: Column): Order {
  return { column, descending: order.column === column ? !order.descending : column !== "name" };
}

export function inOrder(
  tours: readonly FiguresOfTour[],
  { column, descending }: Order,
  language: Language,
): readonly FiguresOfTour[] {
  const names = new Intl.Collator(language, { numeric: true });
  const byName = (one: FiguresOfTour, other: FiguresOfTour): number =>
    names.compare(one.name, other.name) || (one.id < other.id ? -1 : 1);
  const sign = descending ? -1 : 1;
  return tours.toSorted((one, other) => {
    if (column === "name") return sign * byName(one, other);
    // Amounts in different currencies cannot be compared: each currency keeps to itself.
    if (column === "revenue" && one.currency !== other.currency) return one.currency < other.currency ? -1 : 1;
    return sign * (one[column] - other[column]) || byName(one, other);
  });
}
