/** The last quarter of an hour of the figures: bounded, and with gaps where nothing was heard. */
import { connectionsOf, type Figures, revenueOf } from "./figures";

export const WINDOW_MS = 15 * 60_000;
/** Figures come every 2 s, and those that are asked for every 4 s: after this long without any, some were missed. */
export const SILENT_MS = 10_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** A line of a chart: a figure, or the revenue in a currency ("revenue EUR", "revenue" where nobody said which). */
export type Line = "activeBookings" | "activeUsers" | "connections" | "bookingsPerMinute" | `revenue${string}`;
export type Values = Readonly<Partial<Record<Line, number>>>;

export interface Sample {
  /** Milliseconds, on the clock of the database. */
  readonly at: number;
  readonly values: Values;
  /** Nobody knows what was between the sample before and this one. */
  readonly afterGap: boolean;
}

export const revenueLine = (currency: string | null): Line => (currency === null ? "revenue" : `revenue ${currency}`);

export function valuesOf(figures: Figures): Values {
  const { activeBookings, activeUsers, bookingsPerMinute } = figures;
  const values: Partial<Record<Line, number>> = { activeBookings };
  if (activeUsers !== undefined) values.activeUsers = activeUsers;
  if (bookingsPerMinute !== undefined) values.bookingsPerMinute = bookingsPerMinute;
  const connections = connectionsOf(figures);
  if (connections !== null) values.connections = connections;
  for (const { currency, amount } of revenueOf(figures)) values[revenueLine(currency)] = amount;
  return values;
}

/** At most one sample a second, and none that is older than the window. */
export class History {
  #samples: Sample[] = [];
  #interrupted = false;

  /** A copy, the oldest first. */
  samples(): readonly Sample[] {
    return [...this.#samples];
  }

  /** Whatever comes next is not joined to what was before. */
  interrupt(): void {
    this.#interrupted = this.#samples.length > 0;
  }

  add(figures: Figures): void {
    const at = Date.parse(figures.timestamp);
    const last = this.#samples.at(-1);
    if (!Number.isFinite(at) || (last !== undefined && at <= last.at)) return;
    const afterGap = this.#interrupted || (last !== undefined && at - last.at > SILENT_MS);
    this.#interrupted = false;
    const values = valuesOf(figures);
    if (last !== undefined && !afterGap && Math.floor(at / SECOND_MS) === Math.floor(last.at / SECOND_MS)) {
      this.#samples[this.#samples.length - 1] = { at, values, afterGap: last.afterGap };
      return;
    }
    this.#samples.push({ at, values, afterGap });
    const old = this.#samples.findIndex((sample) => sample.at > at - WINDOW_MS);
    if (old > 0) this.#samples.splice(0, old);
  }
}

/** Seconds, and for each line its values: as uPlot has it. A gap is a moment without values. */
export function columns(samples: readonly Sample[], lines: readonly Line[]): [number[], ...(number | null)[][]] {
  const times: number[] = [];
  const values = lines.map((): (number | null)[] => []);
  samples.forEach((sample, index) => {
    const before = samples[index - 1];
    if (sample.afterGap && before !== undefined) {
      times.push((before.at + sample.at) / 2 / SECOND_MS);
      for (const column of values) column.push(null);
    }
    times.push(sample.at / SECOND_MS);
    lines.forEach((line, at) => values[at]?.push(sample.values[line] ?? null));
  });
  return [times, ...values];
}

/** The last values of each minute, the newest first; `values` is null for a minute in which nothing was heard. */
export function byMinute(samples: readonly Sample[]): readonly { readonly minute: number; readonly values: Values | null }[] {
  const last = new Map(samples.map((sample) => [Math.floor(sample.at / MINUTE_MS), sample.values]));
  const [first, ...others] = last.keys();
  if (first === undefined) return [];
  const newest = others.at(-1) ?? first;
  return Array.from({ length: newest - first + 1 }, (_, ago) => ({
    minute: (newest - ago) * MINUTE_MS,
    values: last.get(newest - ago) ?? null,
  }));
}
