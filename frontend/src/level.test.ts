import { expect, it } from "vitest";
import { levelOf } from "./level";

it("green above 10, orange from 5 to 10, red below 5, sold out at 0", () => {
  const levels = [0, 1, 4, 5, 10, 11].map(levelOf);
  expect(levels).toEqual(["none", "last", "last", "few", "few", "many"]);
});
