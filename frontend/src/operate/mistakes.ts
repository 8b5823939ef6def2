/** What is wrong with a field, in words: found here before anything is sent, or by the service, in the same words. */
import { Refused } from "../api";
import type { Speech } from "../text";
import { isId } from "./identifier";
import { decimalsOf, minorOf } from "./money";

export const MOST_SEATS = 100_000;
const NAME_LENGTH = 200;

/** Sentences by field; a field without one is right. */
export type Mistakes<Field extends string> = Readonly<Partial<Record<Field, string | undefined>>>;

// Before anything is sent: each returns the value, or says what is wrong

export type Checked<Value> = { readonly value: Value } | { readonly wrong: string };

export function checkName({ t }: Speech, text: string): Checked<string> {
  const value = text.trim();
  if (value === "") return { wrong: t("operate.name.missing") };
  return value.length > NAME_LENGTH ? { wrong: t("operate.name.long", { count: NAME_LENGTH }) } : { value };
}

export function checkId({ t }: Speech, text: string): Checked<string> {
  const value = text.trim();
  return isId(value) ? { value } : { wrong: t("operate.id.wrong") };
}

/** The price in hundredths. */
export function checkPrice(speech: Speech, text: string, currency: string): Checked<number> {
  const value = minorOf(text, currency);
  if (typeof value === "number") return { value };
  if (value === "decimals") return { wrong: speech.t("operate.price.decimals", { count: decimalsOf(currency), currency }) };
  if (value === "large") return { wrong: speech.t("operate.price.large", { most: speech.money(1_000_000, currency) }) };
  return { wrong: speech.t("operate.price.wrong") };
}

export function checkCapacity({ t }: Speech, text: string, taken: { readonly sold: number; readonly held: number }): Checked<number> {
  const digits = text.trim().replace(/[\s\u00a0\u202f]/g, "");
  const value = /^\d{1,6}$/.test(digits) ? Number(digits) : null;
  if (value === null || value > MOST_SEATS) return { wrong: t("operate.capacity.wrong", { count: MOST_SEATS }) };
  return value < taken.sold + taken.held ? { wrong: tooFew(t, taken.sold, taken.held) } : { value };
}

function tooFew(t: Speech["t"], sold: number, held: number): string {
  return t("operate.capacity.sold", { count: sold + held, sold, held });
}

// What the service refused

/** Where a refusal belongs: at a field of the form, or to the form as a whole. */
export type Refusal = { readonly field: string; readonly sentence: string } | { readonly field: null; readonly sentence: string };

const WRONG = {
  name: "operate.name.missing",
  id: "operate.id.wrong",
  price: "operate.price.wrong",
  currency: "operate.currency.wrong",
  timeZone: "operate.zone.wrong",
  startsAt: "operate.date.wrong",
} as const;

/**
 * What the service refused, by the name that the API has for the field: `name`, or `departures[2].capacity` in a tour
 * that is to be made.
 */
export function refusalOf({ t }: Speech, refused: Refused): Refusal {
  const { code, details, message } = refused;
  const count = (name: string): number => Number(details[name] ?? 0);
  switch (code) {
    case "TOUR_EXISTS":
      return { field: "id", sentence: t("operate.id.taken") };
    case "CAPACITY_BELOW_SOLD":
      return { field: "capacity", sentence: tooFew(t, count("sold"), count("held")) };
    case "CAPACITY_TOO_LARGE":
      return { field: "capacity", sentence: t("operate.capacity.large", { count: count("maximum") }) };
    case "DEPARTURE_PAST":
      return { field: "startsAt", sentence: t("operate.date.past") };
    case "INVALID_BODY": {
      const [where = ""] = Object.keys(details);
      const field = where.replace(/^body\.?/, "");
      const last = field.split(".").at(-1) ?? "";
      if (last === "capacity") return { field, sentence: t("operate.capacity.wrong", { count: MOST_SEATS }) };
      if (Object.hasOwn(WRONG, last)) return { field, sentence: t(WRONG[last as keyof typeof WRONG]) };
      return { field: null, sentence: ended(message) };
    }
    default:
      return { field: null, sentence: ended(message) };
  }
}

function ended(sentence: string): string {
  return sentence.replace(/\.?$/, ".");
}
