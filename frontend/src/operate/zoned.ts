/**
 * What a clock on the wall shows in a time zone, and which moments that is: one, two in the hour that comes twice when
 * clocks go back, none in the hour that is skipped when they go forward.
 */

export interface LocalTime {
  /** "2026-07-14" */
  readonly date: string;
  /** "10:30" */
  readonly time: string;
}

const DAY_MS = 86_400_000;
const clocks = new Map<string, Intl.DateTimeFormat>();

/** The clock of a zone; formatters are costly to make. Throws a RangeError for a zone that this browser does not know. */
function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    const two = "2-digit" as const;
    clock = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      ...{ timeZone: zone, hourCycle: "h23" },
      ...{ year: "numeric", month: two, day: two, hour: two, minute: two, second: two },
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/** What the clock shows, as if it were UTC. */
function shown(moment: number, zone: string): number {
  const parts = Object.fromEntries(clockOf(zone).formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function offsetMs(moment: number, zone: string): number {
  return shown(moment, zone) - Math.floor(moment / 1_000) * 1_000;
}

/** What the clock shows in a zone at a moment. */
export function localTime(moment: Date, zone: string): LocalTime {
  const [date = "", time = ""] = new Date(shown(moment.getTime(), zone)).toISOString().split("T");
  return { date, time: time.slice(0, 5) };
}

/** The moments at which the clock shows this, the earlier first; none for a date or time that is none. */
export function momentsOf({ date, time }: LocalTime, zone: string): readonly Date[] {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  // Some browsers read the 30th of February as a day of March.
  if (Number.isNaN(wanted) || !new Date(wanted).toISOString().startsWith(`${date}T${time}`)) return [];
  // A day before and a day after: clocks are not changed twice within two days.
  const candidates = [wanted - DAY_MS, wanted + DAY_MS].map((near) => wanted - offsetMs(near, zone));
  return [...new Set(candidates)]
    .filter((moment) => shown(moment, zone) === wanted)
    .sort((a, b) => a - b)
    .map((moment) => new Date(moment));
}

/** Of a time that is skipped: what the clock shows as long after the change as this is after its hour began. */
export function afterGap({ date, time }: LocalTime, zone: string): LocalTime {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  return localTime(new Date(wanted - offsetMs(wanted - DAY_MS, zone)), zone);
}

/** "UTC+2", "UTC\u22123:30", "UTC": the same in every language. */
export function offsetName(moment: Date, zone: string): string {
  const minutes = Math.round(offsetMs(moment.getTime(), zone) / 60_000);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "\u2212" : "+"}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
}

/** Every time zone that this browser knows, UTC among them. */
export function zones(): readonly string[] {
  return [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC"])].sort();
}
