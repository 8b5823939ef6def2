import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterGap, localTime, momentsOf, offsetName, zones } from "./zoned";

const moments = (text: string, zone: string): string[] => {
  const [date = "", time = ""] = text.split(" ");
  return momentsOf({ date, time }, zone).map((moment) => moment.toISOString());
};

describe("a local time", () => {
  it.each([
    ["2026-07-14 10:30", "Europe/Paris", "2026-07-14T08:30:00.000Z"],
    ["2026-01-14 10:30", "Europe/Paris", "2026-01-14T09:30:00.000Z"],
    ["2026-07-14 00:00", "Asia/Kathmandu", "2026-07-13T18:15:00.000Z"],
    ["2026-12-31 23:59", "America/St_Johns", "2027-01-01T03:29:00.000Z"],
    ["2026-12-31 23:59", "Pacific/Kiritimati", "2026-12-31T09:59:00.000Z"],
    ["2026-07-14 10:30", "UTC", "2026-07-14T10:30:00.000Z"],
  ])("%s in %s is one moment", (local, zone, moment) => {
    expect(moments(local, zone)).toEqual([moment]);
  });

  it.each([
    ["2026-03-29 02:00", "Europe/Paris", "2026-03-29 03:00"],
    ["2026-03-29 02:30", "Europe/Paris", "2026-03-29 03:30"],
    ["2026-03-08 02:59", "America/New_York", "2026-03-08 03:59"],
    ["2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-04 02:45"],
    ["2011-12-30 12:00", "Pacific/Apia", "2011-12-31 12:00"],
  ])("%s in %s is skipped; as long after the change it is %s", (local, zone, after) => {
    expect(moments(local, zone)).toEqual([]);
    const [date = "", time = ""] = local.split(" ");
    const found = afterGap({ date, time }, zone);
    expect(`${found.date} ${found.time}`).toBe(after);
  });

  it.each([
    ["2026-10-25 02:00", "Europe/Paris", ["2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z"]],
    ["2026-10-25 02:59", "Europe/Paris", ["2026-10-25T00:59:00.000Z", "2026-10-25T01:59:00.000Z"]],
    ["2026-11-01 01:30", "America/New_York", ["2026-11-01T05:30:00.000Z", "2026-11-01T06:30:00.000Z"]],
    ["2026-04-05 01:45", "Australia/Lord_Howe", ["2026-04-04T14:45:00.000Z", "2026-04-04T15:15:00.000Z"]],
  ])("%s in %s comes twice, the earlier first", (local, zone, both) => {
    expect(moments(local, zone)).toEqual(both);
  });

  it.each([
    ["2026-03-29 01:59", "2026-03-29T00:59:00.000Z"],
    ["2026-03-29 03:00", "2026-03-29T01:00:00.000Z"],
    ["2026-10-25 01:59", "2026-10-24T23:59:00.000Z"],
    ["2026-10-25 03:00", "2026-10-25T02:00:00.000Z"],
  ])("%s, at the edge of a change in Paris, is one moment", (local, moment) => {
    expect(moments(local, "Europe/Paris")).toEqual([moment]);
  });

  it.each(["2026-02-30 10:00", "2026-13-01 10:00", " 10:00", "2026-07-14 ", "2026-07-14 25:00", "20260-07-14 10:00"])(
    "%j is none",
    (local) => {
      expect(moments(local, "Europe/Paris")).toEqual([]);
    },
  );

  it("is found again from every moment, in every zone", () => {
    const from = Date.UTC(2025, 0, 1);
    const minute = fc.integer({ min: 0, max: 3 * 366 * 24 * 60 });
    fc.assert(
      fc.property(minute, fc.constantFrom(...zones()), (minutes, zone) => {
        const moment = new Date(from + minutes * 60_000);
        const found = momentsOf(localTime(moment, zone), zone).map((one) => one.getTime());
        expect(found).toContain(moment.getTime());
        expect(found.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });
});

it("says how far a zone is from UTC at a moment", () => {
  const [summer, winter] = [new Date("2026-07-01T00:00Z"), new Date("2026-01-01T00:00Z")];
  const name = (moment: Date, zone: string): string => offsetName(moment, zone);
  expect([name(summer, "Europe/Paris"), name(winter, "Europe/Paris"), name(winter, "Europe/London")]).toEqual([
    "UTC+2",
    "UTC+1",
    "UTC",
  ]);
  expect(name(winter, "America/St_Johns")).toBe("UTC\u22123:30");
});

it("knows the usual zones, and UTC", () => {
  expect(zones()).toEqual(expect.arrayContaining(["Europe/Paris", "America/New_York", "UTC"]));
});
