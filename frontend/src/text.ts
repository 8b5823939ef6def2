/** Words, figures, money and dates in the page's language. No React: the widget speaks by it too, with its own words. */
import { en } from "./locale/en";
import { type Forms, fr, type Key } from "./locale/fr";

export type Language = "fr" | "en";
export type Values = Readonly<Record<string, string | number>>;

const CATALOGUES: Readonly<Record<Language, Readonly<Record<Key, string | Forms>>>> = { fr, en };
/** English as in Europe: dates day first, 24 hours. */
export const LOCALES: Readonly<Record<Language, string>> = { fr: "fr-FR", en: "en-GB" };

/** The language that a page's query asks for; French unless English is chosen. */
export function languageOf(query: string): Language {
  return new URLSearchParams(query).get("lang") === "en" ? "en" : "fr";
}

export interface Speech<Keys extends string = Key> {
  readonly language: Language;
  /** The message of a key; `count` chooses among its forms and is written with separators. */
  t(key: Keys, values?: Values): string;
  number(value: number): string;
  money(amount: number, currency: string): string;
  /** "14:30:05"; with the day before it when that is not today, in the reader's own zone. */
  clock(moment: Date, now: Date): string;
  /** "14:30", with the day before it when that is not today, in the reader's own zone. */
  moment(moment: Date, now: Date): string;
  /** "mardi 14 juillet", with the year when it is not this one; in `zone`. */
  day(moment: Date, zone: string, now: Date): string;
  /** "10:30", in `zone`. */
  time(moment: Date, zone: string): string;
  /** "il y a 5 min", in hours from one hour on, in days from two days on. */
  ago(minutes: number): string;
  /** The zone as people say it: "heure\u00a0: Royaume-Uni". */
  zone(moment: Date, zone: string): string;
}

const speeches = new Map<Language, Speech>();

/** Return the speech of a language, always the same one. */
export function speech(language: Language): Speech {
  let found = speeches.get(language);
  if (found === undefined) speeches.set(language, (found = speechOf(language, CATALOGUES[language])));
  return found;
}

const zones = new Map<string, string>();

/** The zone if this browser knows it, else UTC. */
export function knownZone(zone: string | null): string {
  if (zone === null) return "UTC";
  let known = zones.get(zone);
  if (known === undefined) zones.set(zone, (known = isKnown(zone) ? zone : "UTC"));
  return known;
}

function isKnown(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    // A RangeError: the service knows a zone that this browser does not.
    return false;
  }
}

/** Make the speech of a language with a catalogue of one's own. */
export function speechOf<Keys extends string>(
  language: Language,
  catalogue: Readonly<Record<Keys, string | Forms>>,
): Speech<Keys> {
  const locale = LOCALES[language];
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const relative = new Intl.RelativeTimeFormat(locale, { style: "short" });
  // Formatters are costly to make and cards ask for the same few again and again.
  const formatters = new Map<string, Intl.DateTimeFormat>();
  const dates = (name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
    let found = formatters.get(name);
    if (found === undefined) formatters.set(name, (found = new Intl.DateTimeFormat(locale, options)));
    return found;
  };
  const amounts = new Map<string, Intl.NumberFormat>();
  const amountsIn = (currency: string, whole: boolean): Intl.NumberFormat => {
    const name = `${currency} ${whole}`;
    let found = amounts.get(name);
    if (found === undefined) {
      const digits = whole ? { maximumFractionDigits: 0 } : {};
      const style = { style: "currency", currencyDisplay: "narrowSymbol", currency } as const;
      amounts.set(name, (found = new Intl.NumberFormat(locale, { ...style, ...digits })));
    }
    return found;
  };
  const date = { weekday: "long", day: "numeric", month: "long" } as const;

  return {
    language,
    t(key, values = {}) {
      const message: string | Forms = catalogue[key];
      const form = typeof message === "string" ? message : message[formOf(values["count"])];
      return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
        const value = values[name];
        return value === undefined ? whole : typeof value === "number" ? numbers.format(value) : value;
      });
    },
    number: (value) => numbers.format(value),
    money(amount, currency) {
      try {
        return amountsIn(currency, Number.isInteger(amount)).format(amount);
      } catch {
        // A RangeError: nobody knows such a currency.
        return `${numbers.format(amount)}\u00a0${currency}`;
      }
    },
    clock(moment, now) {
      const time = dates("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(moment);
      if (moment.toDateString() === now.toDateString()) return time;
      return `${time} (${dates("clock day", { day: "numeric", month: "long" }).format(moment)})`;
    },
    moment(moment, now) {
      const time = dates("moment", { hour: "2-digit", minute: "2-digit" }).format(moment);
      if (moment.toDateString() === now.toDateString()) return time;
      return `${dates("moment day", { day: "numeric", month: "short" }).format(moment)} ${time}`;
    },
    day(moment, zone, now) {
      const year = dates(`year ${zone}`, { year: "numeric", timeZone: zone });
      const same = year.format(moment) === year.format(now);
      const options: Intl.DateTimeFormatOptions = same ? date : { ...date, year: "numeric" };
      return dates(`day ${zone} ${same}`, { ...options, timeZone: zone }).format(moment);
    },
    time: (moment, zone) => dates(`time ${zone}`, { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(moment),
    ago(minutes) {
      const hours = Math.floor(minutes / 60);
      if (hours < 1) return relative.format(-minutes, "minute");
      return hours < 48 ? relative.format(-hours, "hour") : relative.format(-Math.floor(hours / 24), "day");
    },
    zone(moment, zone) {
      const parts = dates(`zone ${zone}`, { timeZone: zone, timeZoneName: "shortGeneric" }).formatToParts(moment);
      return parts.find(({ type }) => type === "timeZoneName")?.value ?? zone;
    },
  };

  function formOf(count: string | number | undefined): keyof Forms {
    return plurals.select(Number(count)) === "one" ? "one" : "other";
  }
}
