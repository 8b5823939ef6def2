import type { Tour, TourView } from "@seatcast/client";
import { describe, expect, it } from "vitest";
import rest from "../../../contract/rest.json";
import { operated } from "./seats";

const paris = rest["Tour with what is closed"] as Tour;
const louvre = rest["Tour undated"] as Tour;

const live: TourView = {
  id: "tour_paris",
  name: "Paris by night",
  availableSeats: 4,
  capacity: 20,
  held: 1,
  price: null,
  currency: null,
  timeZone: null,
  timestamp: null,
  departures: [{ id: "dep_1", startsAt: "2026-07-14T09:00:00.000Z", availableSeats: 4, capacity: 20, held: 1 }],
};

describe("a tour as operators see it", () => {
  it("has what REST tells: sold is what is neither left nor held", () => {
    const tour = operated(paris, null);
    expect(tour).toMatchObject({ name: "Paris City Tour", priceMinor: 4_900, dated: true, closed: false, soldBefore: 0 });
    expect(tour.seats).toEqual({ capacity: 20, left: 13, held: 2, sold: 5 });
    expect(tour.departures.map(({ id, closed, sold, left }) => [id, closed, sold, left])).toEqual([
      ["dep_1", false, 5, 13],
      ["dep_2", true, 0, 20],
    ]);
  });

  it("has the seats, the name and the dates of the live connection where it tells them", () => {
    const tour = operated(paris, live);
    expect(tour.name).toBe("Paris by night");
    expect(tour.seats).toEqual({ capacity: 20, left: 4, held: 1, sold: 15 });
    expect(tour.departures[0]).toMatchObject({ startsAt: "2026-07-14T09:00:00.000Z", sold: 15 });
    expect(tour.departures[1]).toMatchObject({ id: "dep_2", closed: true, left: 20 });
  });

  it("has what was read where the connection has not told as much yet", () => {
    expect(operated(paris, { ...live, timestamp: "2026-06-01T10:11:59.999Z" }).name).toBe("Paris City Tour");
    expect(operated(paris, { ...live, timestamp: "2026-06-01T10:12:00.000Z" }).name).toBe("Paris by night");
  });

  it("that is closed shows what it had, whatever the connection still says", () => {
    const closedSeats = { capacity: 20, availableSeats: 15, held: 0 };
    const tour = operated({ ...louvre, closed: true, available_seats: 0, capacity: 0, closedSeats }, live);
    expect(tour).toMatchObject({ closed: true, dated: false, name: louvre.name, soldBefore: 0 });
    expect(tour.seats).toEqual({ capacity: 20, left: 15, held: 0, sold: 5 });
  });

  it("counts what was sold of closed departures apart", () => {
    const closedSeats = { capacity: 30, availableSeats: 10, held: 2 };
    expect(operated({ ...paris, closedSeats }, null).soldBefore).toBe(18);
  });
});
