/** Prices as people write them, in whole hundredths: what is stored. Never a sum of fractions. */
import type { Language } from "../text";

/** More than the service takes. */
const MOST_MINOR = 1_000_000 * 100;

export type MoneyMistake = "format" | "decimals" | "large";

/** Digits that spaces may part by three (1 234), then perhaps a comma or a point and what comes after it. */
const WRITTEN = /^(\d+|\d{1,3}(?: \d{3})+)(?:[.,](\d*))?$/;

/** How many decimals a price in this currency has: two, but none in yen. */
export function decimalsOf(currency: string): number {
  try {
    const { maximumFractionDigits = 2 } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
    return Math.min(2, maximumFractionDigits);
  } catch {
    return 2;
  }
}

/** The hundredths that a text says, or what is wrong with it. A comma is as good as a point, in either language. */
export function minorOf(text: string, currency: string): number | MoneyMistake {
  const [, whole, fraction = ""] = WRITTEN.exec(text.trim().replace(/[\s\u00a0\u202f]/g, " ")) ?? [];
  if (whole === undefined) return "format";
  if (fraction.length > decimalsOf(currency)) return "decimals";
  const minor = Number(whole.replaceAll(" ", "")) * 100 + Number(fraction.padEnd(2, "0"));
  return minor > MOST_MINOR ? "large" : minor;
}

/** The text that `minorOf` reads as these hundredths: "49", "49,50" in French, "49.50" in English. */
export function moneyText(minor: number, language: Language): string {
  const fraction = minor % 100;
  const whole = String((minor - fraction) / 100);
  return fraction === 0 ? whole : `${whole}${language === "fr" ? "," : "."}${String(fraction).padStart(2, "0")}`;
}

/** A price of the service, which is hundredths divided by 100, as hundredths again. */
export function minorOfPrice(price: number): number {
  return Math.round(price * 100);
}
