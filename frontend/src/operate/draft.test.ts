import { describe, expect, it } from "vitest";
import { changed, contested, type Draft, insisted, without, write } from "./draft";

type Name = "name" | "capacity";

const now = { name: "Louvre", capacity: "20" };
const read = (_: Name, text: string): string | null => text.trim() || null;
const written = (text: string, draft: Draft<Name> = new Map()): Draft<Name> => write(draft, "capacity", text, now, read);

describe("a field that is written in", () => {
  it("is what saving would change, unless it says what is so already", () => {
    expect(changed(written("30"), now, read)).toEqual(["capacity"]);
    expect(changed(written(" 20 "), now, read)).toEqual([]);
    expect(written("20", written("30")).size).toBe(0);
  });

  it("counts as a change also while it cannot be read", () => {
    expect(changed(written(""), now, read)).toEqual(["capacity"]);
  });

  it("remembers what was so when the writing began, not what was so at the last letter", () => {
    const draft = write(written("3"), "capacity", "30", { ...now, capacity: "25" }, read);
    expect(draft.get("capacity")).toEqual({ text: "30", base: "20" });
  });
});

describe("a value that somebody else changes meanwhile", () => {
  const theirs = { ...now, capacity: "25" };

  it("is contested by what was written before", () => {
    expect(contested(written("30"), now, read)).toEqual([]);
    expect(contested(written("30"), theirs, read)).toEqual(["capacity"]);
  });

  it("is not contested by a draft of another field, nor by one that wants the same", () => {
    expect(contested(write(new Map(), "name", "Orsay", now, read), theirs, read)).toEqual([]);
    expect(contested(written("25"), theirs, read)).toEqual([]);
    expect(changed(written("25"), theirs, read)).toEqual([]);
  });

  it("is taken, or overruled knowingly; and may be contested again", () => {
    const draft = written("30");
    expect(without(draft, "capacity").size).toBe(0);
    const mine = insisted(draft, "capacity", theirs);
    expect(contested(mine, theirs, read)).toEqual([]);
    expect(changed(mine, theirs, read)).toEqual(["capacity"]);
    expect(contested(mine, { ...now, capacity: "26" }, read)).toEqual(["capacity"]);
  });
});
