import { expect, it } from "vitest";
import { colourOf } from "./colour";

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
}
const contrast = (a: string, b: string): number => {
  const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
};

it("white words can be read on every colour, and every colour is seen on the light and on the dark page", () => {
  const colours = new Set(Array.from({ length: 3_000 }, (_, at) => colourOf(`user_${at}`)));
  expect(colours.size).toBeGreaterThan(300);
  for (const colour of colours) {
    expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    expect(contrast(colour, "#ffffff")).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour, "#1b2024")).toBeGreaterThanOrEqual(3);
  }
});

it("a name has one colour, and the demo's people have different ones", () => {
  expect(colourOf("emma")).toBe(colourOf("emma"));
  expect(new Set(["alice", "bruno", "camille", "denis", "emma"].map(colourOf)).size).toBe(5);
});
