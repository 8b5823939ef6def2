// @vitest-environment jsdom
import { act, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { open, paris, prepare, tidy } from "../testing/open";

const card = (name: string): Promise<HTMLElement> => screen.findByRole("article", { name });

beforeEach(prepare);
afterEach(tidy);

it("says when the next departure is, in the tour's zone", async () => {
  await open("/", { tours: [{ ...paris, timeZone: "Asia/Tokyo" }] });
  const shown = await card("Paris City Tour");
  expect(shown.textContent).toContain("Prochain départ\u00a0: mardi 14 juillet à 17:30");
});

it("says what leaves on the day that is looked for, and what is left of it", async () => {
  const [first, second] = paris.departures ?? [];
  if (first === undefined || second === undefined) throw new Error("the contract's tour has two departures");
  const startsAt = "2026-07-14T13:00:00.000Z";
  await open("/?date=2026-07-14", {
    tours: [{ ...paris, departures: [first, { ...second, startsAt, availableSeats: 0 }] }],
  });
  const shown = await card("Paris City Tour");
  expect(shown.textContent).toContain("mardi 14 juillet\u00a0: 10:30 (13\u00a0places), 15:00 (complet)");
});

it("says how long ago seats changed, and when in full on demand", async () => {
  await open("/");
  const shown = await card("Paris City Tour");
  const updated = within(shown).getByText(/^Mis à jour il y a 1.min$/);
  expect(updated.getAttribute("datetime")).toBe("2026-06-01T09:58:12.345Z");
  expect(updated.title).toMatch(/:58:12/);
});

it("says in words that seats are no longer live, and takes it back", async () => {
  const { server } = await open("/");
  const shown = await card("Paris City Tour");
  expect(within(shown).queryByText("N\u2019est plus en direct")).toBeNull();
  act(() => server.last.says({ type: "STALE", since: "2026-06-01T10:00:00.000Z" }));
  await within(shown).findByText("N\u2019est plus en direct");
  act(() => server.last.says({ type: "FRESH" }));
  await screen.findAllByText("En direct");
  expect(within(shown).queryByText("N\u2019est plus en direct")).toBeNull();
});
