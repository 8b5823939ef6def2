import type { FiguresOfTour, TourView } from "@seatcast/client";
import { describe, expect, it } from "vitest";
import rest from "../../../contract/rest.json";
import { type Figures, newest, revenueOf, seatsOf, soldDiffers } from "./figures";

const shop = rest.ShopMetrics as Figures;

describe("the newest figures", () => {
  const later: Figures = { ...shop, timestamp: "2026-06-01T10:00:07.000Z" };

  it("are those of the later moment, by whichever road they came", () => {
    expect(newest(shop, later)).toBe(later);
    expect(newest(later, shop)).toBe(later);
    expect(newest(null, shop)).toBe(shop);
    expect(newest(null, null)).toBeNull();
  });
});

describe("revenue", () => {
  it("is by currency, the main one first, and never added up", () => {
    expect(revenueOf({ ...shop, currency: "GBP", totalRevenue: 99.99 })).toEqual([
      { currency: "GBP", amount: 99.99 },
      { currency: "EUR", amount: 8500.5 },
    ]);
  });

  it("of a publisher that tells no currency is an amount alone", () => {
    expect(revenueOf({ activeBookings: 1, totalRevenue: 12, timestamp: "" })).toEqual([{ currency: null, amount: 12 }]);
  });
});

it("who is there is no reason to read the tours anew, what is sold is", () => {
  expect(soldDiffers(shop, { ...shop, activeUsers: 1, gateways: [], timestamp: "" })).toBe(false);
  expect(soldDiffers(shop, { ...shop, seatsHeld: 9 })).toBe(true);
  expect(soldDiffers(shop, { ...shop, revenue: { EUR: 8500.5, GBP: 1 } })).toBe(true);
});

describe("the seats of a tour", () => {
  const read: FiguresOfTour = {
    ...{ id: "a", name: "A", currency: "EUR", bookings: 2, revenue: 50 },
    ...{ capacity: 20, sold: 4, held: 1, availableSeats: 15 },
  };
  const live: TourView = {
    ...{ id: "a", name: "A", price: 1, currency: "EUR", timeZone: null, departures: [] },
    ...{ availableSeats: 12, capacity: 20, held: 2, timestamp: "2026-06-01T10:00:05.000Z" },
  };

  it("are live where a fact is newer than the reading", () => {
    expect(seatsOf(read, "2026-06-01T10:00:04.999Z", live)).toEqual({ capacity: 20, sold: 6, held: 2, availableSeats: 12 });
  });

  it("are as they were read where that is newer, the tour is closed, or the fact does not tell enough", () => {
    expect(seatsOf(read, "2026-06-01T10:00:05.000Z", live)).toBe(read);
    expect(seatsOf(read, "", null)).toBe(read);
    expect(seatsOf(read, "", { ...live, held: null })).toBe(read);
  });
});
