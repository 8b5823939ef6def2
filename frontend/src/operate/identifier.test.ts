import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isId, proposedId } from "./identifier";

it.each([
  ["Paris City Tour", "tour_paris_city_tour"],
  ["  Musée d’Orsay : la nuit ! ", "tour_musee_d_orsay_la_nuit"],
  ["L'Œuvre", "tour_l_oeuvre"],
  ["Tour Eiffel", "tour_eiffel"],
  ["東京", ""],
  ["", ""],
])("of %j it is %j", (name, id) => {
  expect(proposedId(name, new Set())).toBe(id);
});

it("is another one where it is taken", () => {
  expect(proposedId("Paris", new Set(["tour_paris", "tour_paris_2"]))).toBe("tour_paris_3");
});

it("is one that the service takes, whatever the name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (name) => {
      const id = proposedId(name, new Set());
      expect(id === "" || isId(id)).toBe(true);
    }),
  );
});
