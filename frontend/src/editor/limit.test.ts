import { expect, it } from "vitest";
import { fits, MAX_BYTES, roomLeft } from "./limit";

it("bytes count, not letters", () => {
  expect(fits("a".repeat(MAX_BYTES))).toBe(true);
  expect(fits("a".repeat(MAX_BYTES + 1))).toBe(false);
  expect(fits("é".repeat(MAX_BYTES / 2))).toBe(true);
  expect(fits("é".repeat(MAX_BYTES / 2 + 1))).toBe(false);
});

it("what is left is said when it is not much", () => {
  expect(roomLeft("a".repeat(MAX_BYTES / 2))).toBeNull();
  expect(roomLeft("a".repeat(MAX_BYTES - 100))).toBe(100);
  expect(roomLeft("a".repeat(MAX_BYTES + 100))).toBe(-100);
});
