/** What a reader wants to see of the tours, as the address's query says it: `?q=louvre&sort=seats&date=2026-07-14`. */

export const SORTS = ["name", "seats", "departure", "changed"] as const;
/** By name; most seats left first; soonest departure first; latest change first. */
export type Sort = (typeof SORTS)[number];

export interface Wanted {
  /** Words that are to be in a tour's name. */
  readonly text: string;
  readonly sort: Sort;
  /** Tours with a departure on this day (`YYYY-MM-DD`, where the tour is); null for every tour. */
  readonly date: string | null;
}

export const EVERYTHING: Wanted = { text: "", sort: "name", date: null };

/** Longer than any name of a tour, and short enough for an address. */
export const LONGEST_TEXT = 100;

/** Read a query. What makes no sense in it is as if it were not there. */
export function wantedOf(query: URLSearchParams): Wanted {
  const sort = SORTS.find((known) => known === query.get("sort"));
  const date = query.get("date");
  return {
    text: (query.get("q") ?? "").slice(0, LONGEST_TEXT),
    sort: sort ?? EVERYTHING.sort,
    date: date !== null && isDay(date) ? date : null,
  };
}

/** The query that says `wanted`, and whatever else `query` said; what needs no word has none. */
export function queryOf(wanted: Wanted, query: URLSearchParams): URLSearchParams {
  const said = new URLSearchParams(query);
  const words = { q: wanted.text, sort: wanted.sort === EVERYTHING.sort ? "" : wanted.sort, date: wanted.date ?? "" };
  for (const [name, value] of Object.entries(words)) {
    if (value === "") said.delete(name);
    else said.set(name, value);
  }
  return said;
}

/** Is a part of the tours left out? An order alone leaves out nothing. */
export function isNarrow({ text, date }: Wanted): boolean {
  return text.trim() !== "" || date !== null;
}

function isDay(text: string): boolean {
  const moment = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(`${text}T`);
}
