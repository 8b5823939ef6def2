/** What is written of a departure, and what that means in the tour's time zone. */
import type { Speech } from "../text";
import { checkCapacity, type Mistakes } from "./mistakes";
import { afterGap, localTime, momentsOf, offsetName } from "./zoned";

export interface DepartureForm {
  readonly date: string;
  readonly time: string;
  /** Which of the two moments, where clocks go back and this time comes twice. */
  readonly turn: 0 | 1 | null;
  readonly capacity: string;
}

export type DepartureField = "date" | "time" | "capacity";

export interface Meant {
  /** The moment in UTC, as the service writes it. */
  readonly startsAt: string;
  readonly capacity: number;
}

export const NOTHING_TAKEN = { sold: 0, held: 0 };

/** The two moments of a time that comes twice; none where it is clear which is meant. */
export function turnsOf({ date, time }: DepartureForm, zone: string): readonly Date[] {
  const found = momentsOf({ date, time }, zone);
  return found.length > 1 ? found : [];
}

/** The start in one text, and back: the draft of one field. */
export function startText({ date, time, turn }: DepartureForm): string {
  return [date, time, turn ?? ""].join(" ");
}

export function startOf(text: string): Pick<DepartureForm, "date" | "time" | "turn"> {
  const [date = "", time = "", turn = ""] = text.split(" ");
  return { date, time, turn: turn === "" ? null : turn === "1" ? 1 : 0 };
}

type Start = { readonly startsAt: string } | { readonly wrong: Mistakes<DepartureField> };

function readStart(speech: Speech, form: DepartureForm, zone: string): Start {
  const { t } = speech;
  const { date, time, turn } = form;
  if (date === "") return { wrong: { date: t("operate.date.missing") } };
  if (time === "") return { wrong: { time: t("operate.time.missing") } };
  const found = momentsOf({ date, time }, zone);
  if (found.length === 0) {
    // A date field lets only dates through that there are, but some browsers show a text field in its place.
    if (momentsOf({ date, time }, "UTC").length === 0) return { wrong: { date: t("operate.date.wrong") } };
    return { wrong: { time: t("operate.time.skipped", { instead: afterGap({ date, time }, zone).time }) } };
  }
  const moment = found.length > 1 ? (turn === null ? undefined : found[turn]) : found[0];
  return moment === undefined ? { wrong: { time: t("operate.time.twice") } } : { startsAt: moment.toISOString() };
}

/** What the form means, or what is wrong with it. `unmoved`: a start that may be past, since it is not changed. */
export function readDeparture(
  speech: Speech,
  form: DepartureForm,
  zone: string,
  { taken = NOTHING_TAKEN, unmoved = null as string | null, now = new Date() } = {},
): { readonly value: Meant } | { readonly wrong: Mistakes<DepartureField> } {
  const start = readStart(speech, form, zone);
  const capacity = checkCapacity(speech, form.capacity, taken);
  const past = "startsAt" in start && start.startsAt !== unmoved && start.startsAt <= now.toISOString();
  if ("value" in capacity && "startsAt" in start && !past) {
    return { value: { startsAt: start.startsAt, capacity: capacity.value } };
  }
  return {
    wrong: {
      ...("wrong" in start ? start.wrong : past ? { date: speech.t("operate.date.past") } : {}),
      ...("wrong" in capacity ? { capacity: capacity.wrong } : {}),
    },
  };
}

/** The form that means this: what an operator begins to change. */
export function departureForm(startsAt: string, capacity: number, zone: string): DepartureForm {
  const moment = new Date(startsAt);
  const { date, time } = localTime(moment, zone);
  const at = momentsOf({ date, time }, zone).findIndex((found) => found.getTime() === moment.getTime());
  return { date, time, turn: at === 1 ? 1 : 0, capacity: String(capacity) };
}

/** Which of two moments, in words: "la première fois (UTC+2)". */
export function turnName({ t }: Pick<Speech, "t">, moment: Date, turn: number, zone: string): string {
  return t(turn === 0 ? "operate.turn.first" : "operate.turn.second", { offset: offsetName(moment, zone) });
}
