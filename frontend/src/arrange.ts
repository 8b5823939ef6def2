/** Which tours are shown, and in what order. */
import type { DepartureView, TourView } from "@seatcast/client";
import { knownZone } from "./text";
import type { Sort, Wanted } from "./wanted";

/** The ids of the tours that are wanted, in the order that is wanted. `tours` are by name, which breaks every tie. */
export function arrange(tours: readonly TourView[], { text, sort, date }: Wanted): readonly string[] {
  const words = wordsOf(text);
  const found = tours.flatMap((tour) => {
    if (!words.every((word) => folded(tour.name).includes(word))) return [];
    const departures = departuresOn(tour, date);
    if (date !== null && departures.length === 0) return [];
    return [{ tour, departures, dated: date !== null }];
  });
  const compare = COMPARE[sort];
  if (compare !== null) found.sort(compare);
  return found.map(({ tour }) => tour.id);
}

/**
 * The same tours where they were: who is gone leaves, who is new comes last, and nobody else moves.
 *
 * `fresh` are the tours that belong there now.
 */
export function keepPlaces(shown: readonly string[], fresh: readonly string[]): readonly string[] {
  const wanted = new Set(fresh);
  const staying = shown.filter((id) => wanted.has(id));
  const known = new Set(staying);
  return [...staying, ...fresh.filter((id) => !known.has(id))];
}

/** The open departures of a tour on a day where it is; with `date` null, all of them. */
export function departuresOn(tour: TourView, date: string | null): readonly DepartureView[] {
  if (date === null) return tour.departures;
  return tour.departures.filter(({ startsAt }) => near(startsAt, date) && dayIn(startsAt, tour.timeZone) === date);
}

/** The day of a moment in a zone, `YYYY-MM-DD`. */
export function dayIn(moment: string, zone: string | null): string {
  const key = zone ?? "";
  let format = days.get(key);
  if (format === undefined) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", timeZone: knownZone(zone) } as const;
    days.set(key, (format = new Intl.DateTimeFormat("en", { ...parts, calendar: "iso8601" })));
  }
  const said = new Map(format.formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));
  return `${said.get("year")}-${said.get("month")}-${said.get("day")}`;
}

// A formatter takes longer to make than a thousand days to format.
const days = new Map<string, Intl.DateTimeFormat>();

const DAY_MS = 86_400_000;

/** Might the moment be on that day in some zone? Asked first, because it needs no calendar. */
function near(moment: string, date: string): boolean {
  return Math.abs(Date.parse(moment) - Date.parse(`${date}T12:00:00.000Z`)) <= DAY_MS * 1.5;
}

interface Found {
  readonly tour: TourView;
  /** Those on the day that is wanted. */
  readonly departures: readonly DepartureView[];
  /** A day is wanted. */
  readonly dated: boolean;
}

const COMPARE: Readonly<Record<Sort, ((a: Found, b: Found) => number) | null>> = {
  name: null,
  seats: (a, b) => seatsOf(b) - seatsOf(a),
  // Tours without dates come after all that have one.
  departure: (a, b) => inOrder(a.departures[0]?.startsAt ?? "z", b.departures[0]?.startsAt ?? "z"),
  changed: (a, b) => inOrder(b.tour.timestamp ?? "", a.tour.timestamp ?? ""),
};

function seatsOf({ tour, departures, dated }: Found): number {
  return dated ? departures.reduce((sum, { availableSeats }) => sum + availableSeats, 0) : tour.availableSeats;
}

/** Moments are text that sorts as they do. */
function inOrder(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** What of a text can be compared: without accents and case, ligatures taken apart. */
function folded(text: string): string {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replaceAll("œ", "oe").replaceAll("æ", "ae").replaceAll("ß", "ss");
}

function wordsOf(text: string): readonly string[] {
  return folded(text).match(/[\p{L}\p{N}]+/gu) ?? [];
}
