import { describe, expect, it } from "vitest";
import type { Figures } from "./figures";
import { byMinute, columns, History, SILENT_MS, valuesOf, WINDOW_MS } from "./history";

const START = Date.parse("2026-06-01T10:00:00.000Z");

function figures(atMs: number, activeBookings: number, more: Partial<Figures> = {}): Figures {
  return { activeBookings, totalRevenue: 10, timestamp: new Date(START + atMs).toISOString(), ...more };
}

/** A history that was told bookings at these moments (milliseconds). */
function told(...moments: readonly number[]): History {
  const history = new History();
  moments.forEach((at, index) => history.add(figures(at, index)));
  return history;
}

const times = (history: History): number[] => history.samples().map(({ at }) => at - START);

describe("the history", () => {
  it("keeps the last of each second", () => {
    expect(times(told(0, 200, 999, 1_000, 1_500))).toEqual([999, 1_500]);
  });

  it("does not go back in time", () => {
    expect(times(told(5_000, 4_000, 5_000, 6_000))).toEqual([5_000, 6_000]);
  });

  it("forgets what is older than the window, however long it is told", () => {
    const history = told(...Array.from({ length: 5_000 }, (_, second) => second * 1_000));
    const kept = times(history);
    expect(kept).toHaveLength(WINDOW_MS / 1_000);
    expect(kept.at(-1)).toBe(4_999_000);
  });

  it("has a gap where nothing came for long, and none where it came as usual", () => {
    const history = told(0, SILENT_MS, 2 * SILENT_MS + 1);
    expect(history.samples().map(({ afterGap }) => afterGap)).toEqual([false, false, true]);
  });

  it("has a gap where the connection was another, however short that was", () => {
    const history = told(0, 2_000);
    history.interrupt();
    history.add(figures(2_500, 3));
    history.add(figures(4_000, 4));
    expect(history.samples().map(({ afterGap }) => afterGap)).toEqual([false, false, true, false]);
  });

  it("begins without a gap", () => {
    const history = new History();
    history.interrupt();
    history.add(figures(0, 1));
    expect(history.samples()[0]?.afterGap).toBe(false);
  });

  it("what was handed out does not change", () => {
    const history = told(0);
    const before = history.samples();
    history.add(figures(2_000, 2));
    expect(before).toHaveLength(1);
  });
});

describe("the columns of a chart", () => {
  it("are interrupted by a moment without values", () => {
    const history = told(0, 2_000, 22_000);
    expect(columns(history.samples(), ["activeBookings"])).toEqual([
      [START, START + 2_000, START + 12_000, START + 22_000].map((at) => at / 1_000),
      [0, 1, null, 2],
    ]);
  });

  it("have nothing where a figure was not told", () => {
    const history = new History();
    history.add(figures(0, 1, { activeUsers: 5 }));
    history.add(figures(2_000, 1));
    expect(columns(history.samples(), ["activeUsers"])[1]).toEqual([5, null]);
  });
});

describe("the table", () => {
  it("has the last values of each minute, the newest first, and says when a minute had none", () => {
    const rows = byMinute(told(0, 30_000, 61_000, 185_000).samples());
    expect(rows.map(({ minute, values }) => [minute - START, values?.activeBookings ?? null])).toEqual([
      [180_000, 3],
      [120_000, null],
      [60_000, 2],
      [0, 1],
    ]);
  });

  it("is empty before anything was told", () => {
    expect(byMinute([])).toEqual([]);
  });
});

it("each currency has a line of its own, and connections are those of all gateways", () => {
  const gateways = [
    { id: "a", connections: 3, users: 1 },
    { id: "b", connections: 4, users: 2 },
  ];
  expect(valuesOf(figures(0, 2, { currency: "EUR", revenue: { EUR: 10, GBP: 5 }, gateways }))).toEqual({
    activeBookings: 2,
    connections: 7,
    "revenue EUR": 10,
    "revenue GBP": 5,
  });
  expect(valuesOf(figures(0, 2))).toEqual({ activeBookings: 2, revenue: 10 });
});
