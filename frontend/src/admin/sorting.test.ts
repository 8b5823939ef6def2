import type { FiguresOfTour } from "@seatcast/client";
import { describe, expect, it } from "vitest";
import { type Column, FIRST_ORDER, inOrder, nextOrder } from "./sorting";

const tour = (name: string, sold: number, revenue: number, currency = "EUR"): FiguresOfTour => ({
  ...{ id: name, name, currency, capacity: 100, availableSeats: 100 - sold, held: 0, sold, bookings: sold, revenue },
});
const tours = [tour("Zurich", 5, 50), tour("Épinal", 9, 90), tour("Albi", 5, 70), tour("Rome", 1, 999, "GBP")];

function names(column: Column, descending: boolean): string {
  return inOrder(tours, { column, descending }, "fr")
    .map(({ name }) => name)
    .join(" ");
}

describe("the order of the tours", () => {
  it("is by name as the language has it", () => {
    expect(names("name", false)).toBe("Albi Épinal Rome Zurich");
    expect(names("name", true)).toBe("Zurich Rome Épinal Albi");
  });

  it("is by a figure, ties by name either way", () => {
    expect(names("sold", true)).toBe("Épinal Albi Zurich Rome");
    expect(names("sold", false)).toBe("Rome Albi Zurich Épinal");
  });

  it("does not compare amounts in different currencies", () => {
    expect(names("revenue", true)).toBe("Épinal Albi Zurich Rome");
  });

  it("a figure begins with the most, a name with A, and the same column again turns around", () => {
    const bySold = nextOrder(FIRST_ORDER, "sold");
    expect(bySold).toEqual({ column: "sold", descending: true });
    expect(nextOrder(bySold, "sold")).toEqual({ column: "sold", descending: false });
    expect(nextOrder(bySold, "name")).toEqual({ column: "name", descending: false });
  });
});
