import { expect, it } from "vitest";
import { held } from "./order";

const known = (...ids: string[]): ReadonlySet<string> => new Set(ids);

it("no row moves, and what is new at the top waits", () => {
  expect(held(["a", "b", "c"], ["new", "c", "a", "b"], known("a", "b", "c", "new"))).toEqual(["a", "b", "c"]);
});

it("older rows come after the last, where they move none", () => {
  expect(held(["a", "b"], ["b", "a", "old", "older"], known("a", "b", "old", "older"))).toEqual(["a", "b", "old", "older"]);
});

it("a row that the filter would take away stays; one that there is no more goes", () => {
  expect(held(["a", "taken", "gone"], ["a"], known("a", "taken"))).toEqual(["a", "taken"]);
});

it("with nothing shown yet, all is shown in its order", () => {
  expect(held([], ["a", "b"], known("a", "b"))).toEqual(["a", "b"]);
});
