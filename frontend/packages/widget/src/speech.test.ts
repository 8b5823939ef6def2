// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { en } from "./locale/en";
import { fr } from "./locale/fr";
import { languageAt, speechIn } from "./speech";

const french = speechIn("fr");
const english = speechIn("en");

describe("the sentences", () => {
  const sentences = Object.values(fr).flatMap((message): string[] =>
    typeof message === "string" ? [message] : Object.values(message),
  );

  it("have the same keys and the same values in both languages", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) {
      const names = (message: unknown): string[] => [...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])];
      expect(names(en[key]).sort(), key).toEqual(names(fr[key]).sort());
    }
  });

  it("French typography: no-break spaces before ; ! ? (narrow) and :, and after figures; real apostrophes", () => {
    const wrong = sentences.filter(
      (sentence) => /[^\u202f][;!?]/.test(sentence) || /[^\u00a0]:/.test(sentence) || /\{count\} |'|\.\.\./.test(sentence),
    );
    expect(wrong).toEqual([]);
  });

  it("count as each language does", () => {
    const said = [0, 1, 2].map((count) => [french.t("seats.unit", { count }), english.t("seats.unit", { count })]);
    expect(said).toEqual([
      ["place restante", "seats left"],
      ["place restante", "seat left"],
      ["places restantes", "seats left"],
    ]);
  });
});

describe("moments", () => {
  const moment = new Date("2026-07-14T08:30:00.000Z");

  it("of a departure are of the tour's zone, with the year when it is another", () => {
    expect(french.departure(moment, "Europe/Paris", moment)).toMatch(/^mar\. 14 juil\.,? (à )?10:30$/);
    expect(english.departure(moment, "America/New_York", moment)).toMatch(/^Tue,? 14 Jul,? 04:30$/);
    expect(french.departure(moment, "Europe/Paris", new Date("2025-12-31T12:00:00.000Z"))).toContain("2026");
  });

  it("name the zone only where the reader's clock shows another time", () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(french.otherZone(moment, own)).toBeNull();
    expect(english.otherZone(moment, "Asia/Tokyo")).toMatch(/Japan/);
  });

  it("ages are said in the unit that fits, and never lie in the future", () => {
    const said = [-5_000, 12_000, 5 * 60_000, 3 * 3_600_000, 50 * 3_600_000].map((ms) => english.age(ms).replace(".", ""));
    expect(said).toEqual(["0 sec ago", "12 sec ago", "5 min ago", "3 hr ago", "2 days ago"]);
    expect(french.age(5 * 60_000)).toMatch(/^il y a 5\s+min$/);
  });
});

describe("the language of a tag", () => {
  beforeEach(() => document.documentElement.removeAttribute("lang"));

  const tagIn = (html: string): Element => {
    document.body.innerHTML = html;
    return document.querySelector("b") as Element;
  };

  it.each([
    ['<b lang="en"></b>', "en"],
    ['<div lang="en-GB"><p><b></b></p></div>', "en"],
    ['<div lang="en"><b lang="fr-CA"></b></div>', "fr"],
    ['<div lang="de"><b></b></div>', "fr"],
    ["<b></b>", "fr"],
  ])("%s speaks %s", (html, language) => {
    expect(languageAt(tagIn(html))).toBe(language);
  });

  it("is found across the shadow of another element", () => {
    document.body.innerHTML = '<section lang="en"></section>';
    const root = (document.querySelector("section") as Element).attachShadow({ mode: "open" });
    const tag = root.appendChild(document.createElement("b"));
    expect(languageAt(tag)).toBe("en");
  });
});
