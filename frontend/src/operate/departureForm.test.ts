import { describe, expect, it } from "vitest";
import { speech } from "../text";
import {
  type DepartureForm,
  departureForm,
  readDeparture,
  startOf,
  startText,
  turnName,
  turnsOf,
} from "./departureForm";

const now = new Date("2026-01-01T00:00:00Z");
const english = speech("en");
const form = (more: Partial<DepartureForm> = {}): DepartureForm => ({
  ...{ date: "2026-07-14", time: "10:30", turn: null, capacity: "20" },
  ...more,
});
const read = (more: Partial<DepartureForm>, options = {}): unknown =>
  readDeparture(english, form(more), "Europe/Paris", { now, ...options });

describe("what is written of a departure", () => {
  it("is meant in the tour's time zone", () => {
    expect(read({})).toEqual({ value: { startsAt: "2026-07-14T08:30:00.000Z", capacity: 20 } });
  });

  it.each([
    [{ date: "" }, { date: "Choose the date." }],
    [{ time: "" }, { time: "Choose the time." }],
    [{ date: "2026-02-30" }, { date: "There is no such date." }],
    [{ date: "2025-07-14" }, { date: "This moment is already past." }],
    [{ date: "2026-03-29", time: "02:30" }, { time: expect.stringContaining("03:30") as string }],
    [{ date: "2026-10-25", time: "02:30" }, { time: expect.stringContaining("twice") as string }],
    [{ capacity: "" }, { capacity: expect.stringContaining("100,000") as string }],
    [{ capacity: "1.5" }, { capacity: expect.stringContaining("whole number") as string }],
    [{ capacity: "100001" }, { capacity: expect.stringContaining("100,000") as string }],
    [{ date: "", capacity: "x" }, { date: expect.any(String) as string, capacity: expect.any(String) as string }],
  ])("%j is wrong at its field", (more, wrong) => {
    expect(read(more)).toEqual({ wrong });
  });

  it("a time that comes twice is the one that was chosen", () => {
    const twice = { date: "2026-10-25", time: "02:30" };
    expect(read({ ...twice, turn: 0 })).toMatchObject({ value: { startsAt: "2026-10-25T00:30:00.000Z" } });
    expect(read({ ...twice, turn: 1 })).toMatchObject({ value: { startsAt: "2026-10-25T01:30:00.000Z" } });
    const turns = turnsOf(form(twice), "Europe/Paris");
    expect(turns.map((moment, turn) => turnName(english, moment, turn, "Europe/Paris"))).toEqual([
      "the first time (UTC+2)",
      "the second time, after the clocks have changed (UTC+1)",
    ]);
    expect(turnsOf(form(), "Europe/Paris")).toEqual([]);
  });

  it("a capacity below what is sold and held names the number", () => {
    const { wrong } = read({ capacity: "4" }, { taken: { sold: 3, held: 2 } }) as { wrong: { capacity: string } };
    expect(wrong.capacity).toBe("At least 5\u00a0seats are needed: that is what is sold (3) or held (2).");
  });

  it("a start that is not changed may be past by now", () => {
    expect(read({ date: "2025-07-14" }, { unmoved: "2025-07-14T08:30:00.000Z" })).toMatchObject({ value: { capacity: 20 } });
  });
});

describe("a departure that is to be changed", () => {
  it.each(["2026-07-14T08:30:00.000Z", "2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"])(
    "begins as what is so: %s",
    (startsAt) => {
      const begun = departureForm(startsAt, 20, "Europe/Paris");
      expect(readDeparture(english, begun, "Europe/Paris", { now })).toEqual({ value: { startsAt, capacity: 20 } });
    },
  );

  it.each([form(), form({ turn: 1 }), form({ date: "" }), form({ date: "", time: "", turn: 0 })])(
    "its start is one text and the same again: %j",
    (written) => {
      expect({ ...startOf(startText(written)), capacity: written.capacity }).toEqual(written);
    },
  );
});
