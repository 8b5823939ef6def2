import { describe, expect, it } from "vitest";
import { en } from "./locale/en";
import { fr } from "./locale/fr";
import { knownZone, languageOf, speech } from "./text";

const french = speech("fr");
const english = speech("en");

describe("plurals", () => {
  it("French: 0 and 1 are singular", () => {
    const said = [0, 1, 2].map((count) => french.t("seats.count", { count }));
    expect(said).toEqual(["0\u00a0place", "1\u00a0place", "2\u00a0places"]);
  });

  it("English: only 1 is", () => {
    const said = [0, 1, 2].map((count) => english.t("seats.count", { count }));
    expect(said).toEqual(["0\u00a0seats", "1\u00a0seat", "2\u00a0seats"]);
  });

  it("large figures have separators, and a million is a plural", () => {
    expect(french.t("seats.count", { count: 1_234_567 })).toBe("1\u202f234\u202f567\u00a0places");
    expect(french.t("seats.count", { count: 1_000_000 })).toMatch(/places$/);
  });
});

describe("the catalogues", () => {
  const sentences = Object.values(fr).flatMap((message): string[] =>
    typeof message === "string" ? [message] : Object.values(message),
  );

  it("have the same keys, and the same values in each message", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) {
      const names = (message: unknown): string[] => [
        ...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? []),
      ];
      expect(names(en[key]).sort(), key).toEqual(names(fr[key]).sort());
    }
  });

  it("French typography: no-break spaces before ; ! ? (narrow) and :, and after figures; real apostrophes", () => {
    const wrong = sentences.filter(
      (sentence) =>
        /[^\u202f][;!?]/.test(sentence) || /[^\u00a0]:/.test(sentence) || /\{count\} |'|\.\.\./.test(sentence),
    );
    expect(wrong).toEqual([]);
  });
});

describe("dates and money", () => {
  const moment = new Date("2026-07-14T08:30:00.000Z");

  it("are of the tour's own zone", () => {
    expect(french.day(moment, "Europe/Paris", moment)).toBe("mardi 14 juillet");
    expect(french.time(moment, "Europe/Paris")).toBe("10:30");
    expect(english.time(moment, "America/New_York")).toBe("04:30");
    expect(french.day(new Date("2026-07-14T23:30:00.000Z"), "Europe/Paris", moment)).toBe("mercredi 15 juillet");
  });

  it("the year is said when it is another", () => {
    expect(english.day(moment, "Europe/Paris", new Date("2025-07-14T08:30:00.000Z"))).toMatch(/^Tuesday,? 14 July 2026$/);
  });

  it("a moment of another day says its day", () => {
    expect(french.clock(moment, moment)).toMatch(/^\d\d:\d\d:00$/);
    expect(french.clock(moment, new Date("2026-07-20T08:30:00.000Z"))).toMatch(/ \(14 juillet\)$/);
  });

  it("money is whole when it is, and a currency that nobody knows is still said", () => {
    expect(french.money(49, "EUR")).toBe("49\u00a0€");
    expect(french.money(39.5, "EUR")).toBe("39,50\u00a0€");
    expect(french.money(38, "GBP")).toBe("38\u00a0£");
    expect(english.money(1234, "EUR")).toBe("€1,234");
    expect(english.money(5, "not a currency")).toBe("5\u00a0not a currency");
  });

  it("a zone that the browser does not know is read as UTC", () => {
    expect(knownZone("Europe/Paris")).toBe("Europe/Paris");
    expect(knownZone("Mars/Olympus_Mons")).toBe("UTC");
    expect(knownZone(null)).toBe("UTC");
  });

  it("how long ago is in minutes, then hours, then days", () => {
    expect([1, 59, 60, 47 * 60, 48 * 60].map(english.ago)).toEqual(["1 min ago", "59 min ago", "1 hr ago", "47 hr ago", "2 days ago"]);
    expect(french.ago(5).replaceAll(/\s/g, " ")).toBe("il y a 5 min");
  });

  it("a zone is said in the page's language", () => {
    expect(french.zone(moment, "Europe/London")).toMatch(/Royaume-Uni/);
    expect(english.zone(moment, "Europe/London")).toMatch(/United Kingdom|UK/);
  });
});

it("the language is French unless English is asked for", () => {
  expect(["", "?lang=fr", "?lang=en", "?lang=de"].map(languageOf)).toEqual(["fr", "fr", "en", "fr"]);
});

it("a value that is not given is left as it is written", () => {
  expect(french.t("seats.capacity")).toBe("sur {count}");
});
