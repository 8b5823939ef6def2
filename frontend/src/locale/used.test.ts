/** What the sources ask the catalogues for is there, with all that it leaves open. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import { type Forms, fr, type Key } from "./fr";

const SOURCES = join(import.meta.dirname, "..");
const FILES = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.tsx?$/.test(name) && !name.includes(".test.") && !name.startsWith("locale"),
);
/** `t("key")`, and `t("key", { … })` with what is given in it. */
const USES = /\bt\(\s*"([\w.]+)"\s*(?:,\s*\{((?:[^{}]|\{[^{}]*\})*)\}\s*)?,?\s*\)/g;

/** The names that a message leaves open. */
function open(message: string | Forms): string[] {
  const forms = typeof message === "string" ? [message] : [message.one, message.other];
  return forms.flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string));
}

describe("sentences", () => {
  it.each(FILES)("of %s are given all that they leave open", (file) => {
    for (const [use, key, given = ""] of readFileSync(join(SOURCES, file), "utf8").matchAll(USES)) {
      const names = [...given.matchAll(/\b(\w+)\b/g)].map(([name]) => name);
      for (const catalogue of [fr, en]) {
        const message: string | Forms | undefined = catalogue[key as Key];
        expect(message, use).toBeDefined();
        expect(names, use).toEqual(expect.arrayContaining(open(message)));
      }
    }
  });

  it("are found in the sources at all", () => {
    const uses = FILES.flatMap((file) => [...readFileSync(join(SOURCES, file), "utf8").matchAll(USES)]);
    expect(uses.length).toBeGreaterThan(100);
    expect(uses.some(([, , given]) => given?.includes("count"))).toBe(true);
  });
});
