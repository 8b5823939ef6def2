import { expect, it } from "vitest";
import { endingOf } from "./endings";

it.each([
  [4401, "signedOut"],
  [4403, "forbidden"],
  [4413, "tooLarge"],
  [1009, "tooLarge"],
  [4400, "refused"],
  [4404, "refused"],
  [1003, "refused"],
  [1001, "comeBack"],
  [1006, "comeBack"],
  [1012, "comeBack"],
  [1013, "comeBack"],
  [4500, "comeBack"],
] as const)("after %i: %s", (code, ending) => {
  expect(endingOf(code)).toBe(ending);
});
