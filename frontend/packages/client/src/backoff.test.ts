import fc from "fast-check";
import { expect, it } from "vitest";
import { Backoff, LONGEST_DELAY_MS } from "./backoff.js";

it("the ceiling doubles from 1 s to 30 s and stays there", () => {
  const backoff = new Backoff(() => 1 - Number.EPSILON);
  const waits = Array.from({ length: 8 }, () => backoff.next() + 1);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

it("jitter is full: any wait from nothing to the ceiling", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(200), (random, failures) => {
      const backoff = new Backoff(() => random);
      for (let failed = 0; failed < failures; failed += 1) backoff.next();
      const wait = backoff.next();
      return wait === Math.floor(random * Math.min(LONGEST_DELAY_MS, 1_000 * 2 ** failures));
    }),
  );
});

it("after a reset it begins again", () => {
  const backoff = new Backoff(() => 0.5);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(500);
});
