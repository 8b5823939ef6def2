import { describe, expect, it } from "vitest";
import { pieces } from "./links";

const hrefs = (text: string): readonly (string | undefined)[] => pieces(text).flatMap(({ href }) => href ?? []);

describe("addresses in plain text", () => {
  it("become links, and every character stays where it was", () => {
    const text = "Plan\u00a0: https://example.org/a?b=1&c=2#d.\nPuis http://example.org (ou rien)\u202f!";
    expect(hrefs(text)).toEqual(["https://example.org/a?b=1&c=2#d", "http://example.org/"]);
    expect(pieces(text).map((piece) => piece.text).join("")).toBe(text);
  });

  it.each([
    ["(https://example.org/)", "https://example.org/"],
    ["https://en.wikipedia.org/wiki/Paris_(song)", "https://en.wikipedia.org/wiki/Paris_(song)"],
    ["«https://example.org/x»", "https://example.org/x"],
    ["https://example.org/x…", "https://example.org/x"],
  ])("%s leads to %s", (text, href) => {
    expect(hrefs(text)).toEqual([href]);
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "ftp://example.org", "https://", "www.example.org", ""])(
    "%j has no link",
    (text) => {
      expect(hrefs(text)).toEqual([]);
      expect(pieces(text).map((piece) => piece.text).join("")).toBe(text);
    },
  );
});
