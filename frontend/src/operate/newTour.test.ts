import { describe, expect, it } from "vitest";
import { Refused } from "../api";
import { speech } from "../text";
import { refusalOf } from "./mistakes";
import { emptyForm, nextDeparture, type NewTourForm, placed, readNewTour } from "./newTour";

const english = speech("en");
const undated: NewTourForm = {
  ...emptyForm("Europe/Paris"),
  ...{ name: " Louvre ", price: "39,50", dated: false, capacity: "20", departures: [] },
};
const departure = { id: "dep_1", date: "2099-07-14", time: "10:30", turn: null, capacity: "5" };
const dated: NewTourForm = { ...undated, dated: true, capacity: "", departures: [departure] };

describe("the form of a new tour", () => {
  it("means a tour without dates: the price in the currency, not in hundredths", () => {
    expect(readNewTour(english, undated, "tour_louvre")).toEqual({
      wish: {
        ...{ id: "tour_louvre", name: "Louvre", price: 39.5, currency: "EUR", timeZone: "Europe/Paris" },
        ...{ capacity: 20, departures: null },
      },
    });
  });

  it("means a tour with departures, which keep their ids; or with none yet", () => {
    expect(readNewTour(english, dated, "tour_louvre")).toMatchObject({
      wish: { capacity: null, departures: [{ id: "dep_1", startsAt: "2099-07-14T08:30:00.000Z", capacity: 5 }] },
    });
    expect(readNewTour(english, { ...dated, departures: [] }, "tour_louvre")).toMatchObject({ wish: { departures: [] } });
  });

  it("takes the id that was written over the one that is proposed", () => {
    expect(readNewTour(english, { ...undated, id: "louvre" }, "tour_louvre")).toMatchObject({ wish: { id: "louvre" } });
  });

  it("says all that is wrong with it at once, each at its field", () => {
    const form = { ...dated, name: " ", id: "é", price: "1,234", departures: [{ ...departure, date: "", capacity: "-1" }] };
    expect(readNewTour(english, form, "")).toEqual({
      mistakes: {
        tour: { name: expect.any(String), id: expect.any(String), price: "A price in EUR has 2\u00a0decimals at most." },
        departures: { dep_1: { date: "Choose the date.", capacity: expect.any(String) } },
      },
    });
  });

  it("begins in the browser's own zone, or in UTC where that is none of the list", () => {
    expect(emptyForm("Asia/Tokyo").timeZone).toBe("Asia/Tokyo");
    expect(emptyForm("Etc/Unknown").timeZone).toBe("UTC");
  });

  it("has another departure at the same time with as many seats, on a day that is to be chosen", () => {
    const next = nextDeparture([departure]);
    expect(next).toMatchObject({ date: "", time: "10:30", capacity: "5" });
    expect(next.id).toMatch(/^dep_[0-9a-f]{32}$/);
  });
});

describe("what the service refuses of it", () => {
  const at = (form: NewTourForm, code: string, details: Record<string, unknown> = {}): unknown =>
    placed(refusalOf(english, new Refused({ error: "No", code, details })), form);

  it.each([
    ["TOUR_EXISTS", { id: "x" }, "id"],
    ["INVALID_BODY", { "body.name": "Expected `str`" }, "name"],
    ["INVALID_BODY", { "body.timeZone": "not an IANA time zone" }, "timeZone"],
    ["INVALID_BODY", { "body.price": "Expected `float` <= 1000000.0" }, "price"],
    ["INVALID_BODY", { "body.capacity": "Expected `int`" }, "capacity"],
  ])("%s %j stands at the field", (code, details, field) => {
    expect(at(undated, code, details)).toEqual({ tour: { [field]: expect.any(String) }, departures: {} });
  });

  it("stands at the departure that it names", () => {
    expect(at(dated, "INVALID_BODY", { "body.departures[0].startsAt": "?" })).toEqual({
      tour: {},
      departures: { dep_1: { date: "There is no such date." } },
    });
    expect(at(dated, "INVALID_BODY", { "body.departures[0].capacity": "?" })).toMatchObject({
      departures: { dep_1: { capacity: expect.any(String) } },
    });
  });

  it.each([
    ["INVALID_BODY", { body: "JSON is malformed" }],
    ["INVALID_BODY", { "body.departures[7].startsAt": "?" }],
    ["FORBIDDEN", { role: "staff" }],
    ["CAPACITY_TOO_LARGE", { maximum: 10_000_000 }],
    ["DEPARTURE_PAST", { startsAt: "2020-01-01T00:00:00.000Z" }],
  ])("%s %j stands at no field of a dated tour", (code, details) => {
    expect(at(dated, code, details)).toBeNull();
  });

  it("is said in words of the page where there are figures behind it, and else in the service's own", () => {
    const sentence = (code: string, details: Record<string, unknown>): string =>
      refusalOf(english, new Refused({ error: "The service said no", code, details })).sentence;
    expect(sentence("CAPACITY_BELOW_SOLD", { sold: 1, held: 0 })).toBe(
      "At least 1\u00a0seat is needed: that is what is sold (1) or held (0).",
    );
    expect(sentence("CAPACITY_TOO_LARGE", { maximum: 10_000_000 })).toContain("10,000,000");
    expect(sentence("TOUR_DATED", {})).toBe("The service said no.");
  });
});
