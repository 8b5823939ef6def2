/** What a tag shows, worked out from what is known: no document and no clock, only what is handed in. */
import type { DepartureView, Status, TourView } from "@seatcast/client";
import { type Level, levelOf } from "../../../src/level";
import type { Fate } from "./inquiry";
import type { WidgetSpeech } from "./speech";

/** What is known; moments are milliseconds. */
export interface Known {
  /** The newest facts, also while there is no connection; null for none. */
  readonly tour: TourView | null;
  /** What the service says of a tour that is not on sale. */
  readonly fate: Fate | null;
  readonly failing: boolean;
  readonly status: Status;
  /** When the service last told anything; 0 for never. */
  readonly toldAt: number;
  /** Until when silence is no reason for doubt. */
  readonly freshUntil: number;
  readonly now: number;
}

/** What the tag asks for. */
export interface Wanted {
  /** Only this departure, or the tour as a whole. */
  readonly departure: string | null;
  /** How many of the next departures to list. */
  readonly departures: number;
}

export interface Row {
  readonly id: string;
  readonly startsAt: string;
  readonly when: string;
  readonly seats: string;
  readonly level: Level;
}

export interface Seats {
  readonly name: string;
  readonly count: number;
  readonly level: Level;
  /** When the one departure leaves. */
  readonly when: string | null;
  readonly rows: readonly Row[];
  /** Whose clock the departures go by, where it is not the reader's. */
  readonly zone: string | null;
}

export type Shown = { readonly note: string; readonly mood: "good" | "busy" | "bad" } & (
  | { readonly state: "loading" | "unreachable" }
  | { readonly state: "unknown" | "closed"; readonly name: string }
  /** `connecting` has just been read; `old` may have changed since, and says how old it is. */
  | { readonly state: "live" | "connecting" | "old"; readonly seats: Seats }
);

/** What was read this long ago needs no apology while the first connection is being made. */
const JUST_READ_MS = 10_000;

export function shownOf(known: Known, wanted: Wanted, speech: WidgetSpeech): Shown {
  const { tour, fate, failing, status, toldAt, freshUntil, now } = known;
  const { t } = speech;
  const live = status.kind === "connected" && now < freshUntil;
  const note = live ? t("status.live") : wordOf(status, speech);
  const mood = live ? "good" : status.kind === "connecting" || status.kind === "idle" ? "busy" : "bad";
  if (fate !== null) {
    return { state: fate.kind, name: fate.kind === "closed" ? fate.name : "", note: "", mood };
  }
  if (tour === null) {
    const lost = failing || status.kind === "offline" || status.kind === "refused";
    return { state: lost ? "unreachable" : "loading", note, mood };
  }
  const departure = wanted.departure === null ? null : tour.departures.find(({ id }) => id === wanted.departure);
  if (departure === undefined) {
    // Facts may come departure by departure; with the rest of what is known of the tour come all of them.
    const whole = tour.timeZone !== null || tour.price !== null;
    return whole ? { state: "closed", name: tour.name, note: "", mood } : { state: "loading", note, mood };
  }
  const seats = seatsOf(tour, departure, wanted, speech, new Date(now));
  if (live) {
    if (tour.timestamp === null) return { state: "live", seats, note, mood };
    const time = speech.clock(new Date(tour.timestamp), new Date(now));
    return { state: "live", seats, note: t("status.updated", { time }), mood };
  }
  const since = status.kind === "stale" ? Date.parse(status.since) : toldAt;
  if (mood === "busy" && now - toldAt < JUST_READ_MS) {
    return { state: "connecting", seats, note, mood };
  }
  const old = since === 0 ? note : t("status.old", { status: note, age: speech.age(now - since) });
  return { state: "old", seats, note: old, mood };
}

function wordOf(status: Status, { t }: WidgetSpeech): string {
  // Still called connected, and silent for longer than a connection is: the page slept.
  if (status.kind === "connected") return t("status.reconnecting");
  return t(status.kind === "idle" ? "status.connecting" : `status.${status.kind}`);
}

function seatsOf(
  tour: TourView,
  departure: DepartureView | null,
  wanted: Wanted,
  speech: WidgetSpeech,
  now: Date,
): Seats {
  const { name, timeZone } = tour;
  const count = (departure ?? tour).availableSeats;
  const next = tour.departures.filter(({ startsAt }) => Date.parse(startsAt) > now.getTime());
  const listed = departure === null ? next.slice(0, wanted.departures) : [departure];
  const rows = listed.map(({ id, startsAt, availableSeats }): Row => {
    const level = levelOf(availableSeats);
    const seats = level === "none" ? speech.t("level.none") : speech.t("seats.count", { count: availableSeats });
    return { id, startsAt, when: speech.departure(new Date(startsAt), timeZone, now), seats, level };
  });
  const first = listed[0];
  const zone = first === undefined ? null : speech.otherZone(new Date(first.startsAt), timeZone);
  const one = departure === null ? null : (rows[0]?.when ?? null);
  return { name, count, level: levelOf(count), when: one, rows: departure === null ? rows : [], zone };
}
