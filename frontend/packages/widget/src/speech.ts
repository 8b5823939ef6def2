/** How the widget speaks: the page's plurals and figures with the widget's own sentences, its dates, and which language. */
import { knownZone, type Language, LOCALES, type Speech, speechOf } from "../../../src/text";
import { en } from "./locale/en";
import { fr, type Key } from "./locale/fr";

export interface WidgetSpeech extends Speech<Key> {
  /** "mar. 14 juil., 10:30" in a tour's zone, with the year when it is not this one. */
  departure(moment: Date, zone: string | null, now: Date): string;
  /** "heure\u00a0: Royaume-Uni" where the reader's clock shows another time than a tour's; else null. */
  otherZone(moment: Date, zone: string | null): string | null;
  /** "il y a 5\u00a0min". */
  age(ms: number): string;
}

const CATALOGUES = { fr, en } as const;
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

const speeches = new Map<Language, WidgetSpeech>();

/** Return the speech of a language, always the same one. */
export function speechIn(language: Language): WidgetSpeech {
  let found = speeches.get(language);
  if (found === undefined) speeches.set(language, (found = make(language)));
  return found;
}

function make(language: Language): WidgetSpeech {
  const locale = LOCALES[language];
  const ages = new Intl.RelativeTimeFormat(locale, { style: "short" });
  const words = speechOf<Key>(language, CATALOGUES[language]);
  return {
    ...words,
    departure(moment, zone, now) {
      const timeZone = knownZone(zone);
      const year = (of: Date): string => of.toLocaleDateString(locale, { year: "numeric", timeZone });
      return moment.toLocaleString(locale, {
        ...(year(moment) === year(now) ? {} : { year: "numeric" }),
        ...{ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone },
      });
    },
    otherZone(moment, zone) {
      const timeZone = knownZone(zone);
      const style = { dateStyle: "short", timeStyle: "short" } as const;
      if (moment.toLocaleString(locale, style) === moment.toLocaleString(locale, { ...style, timeZone })) return null;
      return words.zone(moment, timeZone);
    },
    age(ms) {
      const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? (["second", 1_000] as const);
      return ages.format(-Math.max(0, Math.floor(ms / length)), unit);
    },
  };
}

/** The language of a tag: its own `lang`, else that of the closest element that has one, else French. */
export function languageAt(tag: Element): Language {
  for (let at: Element | null = tag; at !== null; ) {
    const found: Element | null = at.closest("[lang]");
    if (found !== null) return /^en\b/i.test(found.getAttribute("lang") ?? "") ? "en" : "fr";
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : null;
  }
  return "fr";
}
