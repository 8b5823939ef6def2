// @vitest-environment jsdom
import type { Booking, BookResponse } from "@seatcast/client";
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import rest from "../../../contract/rest.json";
import { PAGE, Refused, Unanswered } from "../api";
import { open, prepare, service, tidy } from "../testing/open";

const alice = { userId: "alice" };
const booked = (rest.BookResponse as BookResponse).booking;

/** A booking of the contract's kind; the higher its number, the newer. */
function numbered(number: number, more: Partial<Booking> = {}): Booking {
  const at = String(number).padStart(3, "0");
  return { ...booked, id: `bkg_${at}`, tourName: `Tour ${at}`, createdAt: `2026-05-01T10:00:00.${at}Z`, ...more };
}

const shown = (): readonly (string | null)[] =>
  [...document.querySelectorAll("article h2")].map((name) => name.textContent);
const message = (type: string, bookingId: string): unknown => ({
  type,
  bookingId,
  tourName: "",
  message: "",
  timestamp: "2026-06-01T10:00:05.000Z",
  messageId: `msg ${type} ${bookingId}`,
});

beforeEach(prepare);
afterEach(tidy);

describe("my bookings, signed in", () => {
  it("are named with departure in its zone, seats, total, state and reference", async () => {
    service.bookings.mockResolvedValue([{ ...booked, timeZone: "Asia/Tokyo" }]);
    await open("/bookings", alice);
    const card = await screen.findByRole("article", { name: "Paris City Tour" });
    expect(within(card).getByRole("link").getAttribute("href")).toBe("/tours/tour_paris");
    expect(card.textContent).toMatch(/mardi 14 juillet, 17:30 \(heure.: Japon\)/);
    for (const said of ["Confirmée", "98\u00a0€", "bkg_0a1b2c"]) expect(card.textContent).toContain(said);
    expect(document.title).toBe("Mes réservations \u2013 Seatcast");
  });

  it("come a page at a time, the newest first", async () => {
    const all = Array.from({ length: PAGE + 2 }, (_, at) => numbered(PAGE + 2 - at));
    service.bookings.mockImplementation(async (before) => {
      const from = before === null ? 0 : all.findIndex(({ id }) => id === before) + 1;
      return all.slice(from, from + PAGE);
    });
    await open("/bookings", alice);
    await waitFor(() => expect(shown()).toHaveLength(PAGE));
    await userEvent.click(screen.getByText("Afficher les plus anciennes"));
    await waitFor(() => expect(shown()).toEqual(all.map(({ tourName }) => tourName)));
    expect(screen.queryByText("Afficher les plus anciennes")).toBeNull();
  });

  it("are there as soon as they are made, and cancelled as soon as they are, anywhere", async () => {
    service.bookings.mockResolvedValue([numbered(1)]);
    const { server } = await open("/bookings", alice);
    await waitFor(() => expect(shown()).toEqual(["Tour 001"]));
    service.booking.mockResolvedValueOnce(numbered(2));
    server.last.says(message("BOOKING_CONFIRMED", "bkg_002"));
    await waitFor(() => expect(shown()).toEqual(["Tour 002", "Tour 001"]));
    service.booking.mockResolvedValueOnce(numbered(1, { status: "cancelled" }));
    server.last.says(message("BOOKING_CANCELLED", "bkg_001"));
    expect(await within(screen.getByRole("article", { name: "Tour 001" })).findByText("Annulée")).toBeDefined();
  });

  it("stay cancelled when an older reading comes late", async () => {
    let late: (page: readonly Booking[]) => void = () => undefined;
    service.bookings.mockReturnValue(new Promise((resolve) => (late = resolve)));
    service.booking.mockResolvedValue(numbered(1, { status: "cancelled" }));
    const { server } = await open("/bookings", alice);
    server.last.says(message("BOOKING_CANCELLED", "bkg_001"));
    await screen.findByText("Annulée");
    await act(async () => late([numbered(1)]));
    expect(screen.getByText("Annulée")).toBeDefined();
    expect(shown()).toEqual(["Tour 001"]);
  });

  it("are cancelled after asking", async () => {
    service.bookings.mockResolvedValue([numbered(1)]);
    service.cancel.mockResolvedValue(numbered(1, { status: "cancelled" }));
    await open("/bookings", alice);
    await userEvent.click(await screen.findByRole("button", { name: "Annuler la réservation" }));
    await userEvent.click(screen.getByRole("button", { name: "Oui, annuler" }));
    expect(await screen.findByText("Annulée")).toBeDefined();
    expect(screen.getByText(/^Les 2.places sont de nouveau en vente/)).toBeDefined();
  });

  it("whose departure has left are past, and not to be cancelled", async () => {
    service.bookings.mockResolvedValue([numbered(1, { startsAt: "2026-05-20T08:00:00.000Z" })]);
    await open("/bookings", alice);
    expect(await screen.findByText("Passée")).toBeDefined();
    expect(screen.queryByRole("button", { name: "Annuler la réservation" })).toBeNull();
  });

  it("that are none are said, and where to make one", async () => {
    service.bookings.mockResolvedValue([]);
    await open("/bookings", alice);
    expect(await screen.findByText("Vous n’avez pas encore de réservation.")).toBeDefined();
    expect(screen.getByRole("link", { name: "Choisir une visite" }).getAttribute("href")).toBe("/");
  });

  it("that cannot be read are said to be out of reach, and can be asked for again", async () => {
    service.bookings.mockRejectedValue(new Unanswered());
    await open("/bookings", alice);
    await screen.findByText("Le service ne répond pas.");
    service.bookings.mockResolvedValue([numbered(1)]);
    await userEvent.click(screen.getByRole("button", { name: "Réessayer" }));
    await waitFor(() => expect(shown()).toEqual(["Tour 001"]));
    expect(screen.queryByText("Le service ne répond pas.")).toBeNull();
  });

  it("that the service refuses to tell are refused in its words", async () => {
    service.bookings.mockRejectedValue(new Refused({ error: "Identification requise", code: "UNAUTHENTICATED" }));
    await open("/bookings", alice);
    expect(await screen.findByText("Identification requise")).toBeDefined();
  });
});

describe("my bookings, without sign-in", () => {
  it("are those of this tab, as the service now has them", async () => {
    sessionStorage.setItem("seatcast.bookings", JSON.stringify([numbered(1), numbered(2)]));
    service.booking.mockImplementation(async (id) => numbered(Number(id.slice(4)), id === "bkg_001" ? { status: "cancelled" } : {}));
    await open("/bookings");
    expect(shown()).toEqual(["Tour 002", "Tour 001"]);
    expect(await within(screen.getByRole("article", { name: "Tour 001" })).findByText("Annulée")).toBeDefined();
    expect(service.bookings).not.toHaveBeenCalled();
  });

  it("are shown after those of whoever signs in", async () => {
    sessionStorage.setItem("seatcast.bookings", JSON.stringify([numbered(1)]));
    service.booking.mockResolvedValue(numbered(1));
    service.bookings.mockResolvedValue([numbered(2)]);
    await open("/bookings", alice);
    await waitFor(() => expect(shown()).toEqual(["Tour 002", "Tour 001"]));
    expect(screen.getByRole("heading", { name: "Faites dans cet onglet, sans compte" })).toBeDefined();
  });
});
