/** Which charts there are, what lines each has, and how their values are said. */
import type { Key } from "../locale/fr";
import type { Speech } from "../text";
import type { Line, Sample } from "./history";

export interface Chart {
  readonly name: "bookings" | "revenue" | "people" | "pace";
  readonly title: Key;
  /** Its value axis begins at 0: for what comes and goes, not for what piles up. */
  readonly fromZero: boolean;
}

export const CHARTS: readonly Chart[] = [
  { name: "bookings", title: "admin.bookings", fromZero: false },
  { name: "revenue", title: "admin.revenue", fromZero: false },
  { name: "people", title: "admin.people", fromZero: true },
  { name: "pace", title: "admin.pace", fromZero: true },
];

/** The lines of a chart: fixed, but for revenue, which has one for each currency of the newest sample. */
export function linesOf({ name }: Chart, samples: readonly Sample[]): readonly Line[] {
  switch (name) {
    case "bookings":
      return ["activeBookings"];
    case "people":
      return ["activeUsers", "connections"];
    case "pace":
      return ["bookingsPerMinute"];
    case "revenue":
      return (Object.keys(samples.at(-1)?.values ?? {}) as Line[]).filter((line) => line.startsWith("revenue"));
  }
}

const LABELS: Readonly<Record<string, Key>> = {
  activeBookings: "admin.bookings",
  activeUsers: "admin.users",
  connections: "admin.connections",
  bookingsPerMinute: "admin.pace",
};

const currencyOf = (line: Line): string | null => line.split(" ")[1] ?? null;

export function labelOf(line: Line, { t }: Speech): string {
  return currencyOf(line) ?? t(LABELS[line] ?? "admin.revenue");
}

/** "8 500,50 €", "42", or a dash where nothing is known. */
export function valueOf(line: Line, value: number | null | undefined, { number, money }: Speech): string {
  if (value === null || value === undefined) return "\u2014";
  const currency = currencyOf(line);
  return currency === null ? number(value) : money(value, currency);
}
