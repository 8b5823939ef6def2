import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalsOf, minorOf, minorOfPrice, moneyText } from "./money";

describe("a price that somebody writes", () => {
  it.each([
    ["0", 0],
    ["49", 4_900],
    ["49,5", 4_950],
    ["49.5", 4_950],
    ["49,", 4_900],
    [" 49,50 ", 4_950],
    ["0,29", 29],
    ["1 234,56", 123_456],
    ["1\u202f234\u202f567,8", null],
    ["12\u00a0345.67", 1_234_567],
    ["1000000", 100_000_000],
  ])("%j is %s hundredths", (text, minor) => {
    expect(minorOf(text, "EUR")).toBe(minor ?? "large");
  });

  it.each([
    ["", "format"],
    ["gratuit", "format"],
    ["-1", "format"],
    ["1e3", "format"],
    [",5", "format"],
    ["1,2,3", "format"],
    ["1.234,50", "format"],
    ["12 34", "format"],
    ["49 €", "format"],
    ["٤٩", "format"],
    ["1,234", "decimals"],
    ["0.001", "decimals"],
    ["1000000,01", "large"],
    ["9".repeat(400), "large"],
  ])("%j is refused as %s", (text, mistake) => {
    expect(minorOf(text, "EUR")).toBe(mistake);
  });

  it("has the decimals of its currency, and two where that has more or is not known", () => {
    expect(["EUR", "JPY", "TND", "XQZ", "no currency"].map(decimalsOf)).toEqual([2, 0, 2, 2, 2]);
    expect(minorOf("1200", "JPY")).toBe(120_000);
    expect(minorOf("1200,5", "JPY")).toBe("decimals");
  });

  it("is written as it is read, in both languages, for every price; and the service's fraction says the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), fc.constantFrom("fr", "en"), (minor, language) => {
        expect(minorOf(moneyText(minor, language), "EUR")).toBe(minor);
        expect(minorOfPrice(minor / 100)).toBe(minor);
      }),
    );
    expect([moneyText(4_905, "fr"), moneyText(4_905, "en"), moneyText(4_900, "fr")]).toEqual(["49,05", "49.05", "49"]);
  });
});
