import { expect, it } from "vitest";
import { EVERYTHING, isNarrow, queryOf, type Wanted, wantedOf } from "./wanted";

const read = (query: string): Wanted => wantedOf(new URLSearchParams(query));

it("what is written into a query is read out of it again, beside what others wrote there", () => {
  const wanted: Wanted = { text: "l’île & co", sort: "seats", date: "2026-07-14" };
  const query = queryOf(wanted, new URLSearchParams("lang=en&q=before"));
  expect(query.get("lang")).toBe("en");
  expect(read(query.toString())).toEqual(wanted);
});

it("everything, by name, needs no words", () => {
  expect(queryOf(EVERYTHING, new URLSearchParams("q=a&sort=seats&date=2026-07-14&lang=en")).toString()).toBe("lang=en");
  expect(read("")).toEqual(EVERYTHING);
});

it.each(["sort=price", "date=2026-02-30", "date=yesterday", "date=+12026-07-14", "date="])("%j is as if it were not there", (query) => {
  expect(read(query)).toEqual(EVERYTHING);
});

it("a text is cut to a sensible length", () => {
  expect(read(`q=${"a".repeat(10_000)}`).text).toHaveLength(100);
});

it("an order, or blanks, leave nothing out", () => {
  expect([read("sort=seats"), read("q=+"), read("q=a"), read("date=2026-07-14")].map(isNarrow)).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
