// @vitest-environment jsdom
import type { BookingConfirmed, BookResponse, Tour } from "@seatcast/client";
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import rest from "../../../contract/rest.json";
import { update } from "../../packages/client/src/testing/fakes";
import { Refused, Unanswered } from "../api";
import { louvre, open, paris, prepare, service, tidy, TODAY } from "../testing/open";

const PARIS = "/tours/tour_paris";
const LOUVRE = "/tours/tour_louvre";
const { book, cancel, booking: read } = service;
const booked = rest.BookResponse as BookResponse;
const told: BookingConfirmed = {
  type: "BOOKING_CONFIRMED",
  bookingId: "bkg_0a1b2c",
  tourName: "Paris City Tour",
  message: "Votre réservation est confirmée",
  timestamp: "2026-06-01T10:00:02.003Z",
  tourId: "tour_paris",
  departureId: "dep_1",
  seats: 1,
  messageId: "msg_1",
};

const bookButton = (): HTMLElement => screen.getByRole("button", { name: /^Réserver|^Complet/ });
const main = (): HTMLElement => screen.getByRole("main");
const receipts = (): readonly HTMLElement[] => screen.queryAllByRole("group", { name: "Réservation confirmée" });

/** The page of a tour that is on sale, there to be used. */
async function openTour(path: string, options: Parameters<typeof open>[1] = {}): ReturnType<typeof open> {
  const opened = await open(path, options);
  await screen.findByRole("region", { name: "Réserver" });
  return opened;
}

async function chooseFirst(): Promise<void> {
  await userEvent.click(screen.getAllByRole("radio")[0] as HTMLElement);
}

beforeEach(prepare);
afterEach(tidy);

describe("a tour's page", () => {
  it("says name, price, seats, and departures by day in the tour's zone", async () => {
    await openTour(PARIS);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Paris City Tour");
    expect(main().textContent).toContain("33 places restantes sur 40");
    expect(main().textContent).toContain("49\u00a0€ par personne");
    expect(screen.getByRole("group", { name: "mardi 14 juillet" }).textContent).toContain("10:30");
    expect(screen.getByRole("group", { name: /Départs.*heure.: France/ })).toBeDefined();
  });

  it("follows the socket, down to sold out", async () => {
    const { server } = await openTour(LOUVRE);
    server.last.says(update("tour_louvre", 8, 0, { tourName: "Louvre Night Tour" }));
    await waitFor(() => expect(bookButton().textContent).toBe("Complet"));
    await userEvent.click(bookButton());
    expect(bookButton().getAttribute("aria-disabled")).toBe("true");
    expect(main().textContent).toContain("Si quelqu’un annule, les places reviennent");
    expect(book).not.toHaveBeenCalled();
  });

  it("shows what is written about it as it is written, its addresses as links and nothing as markup", async () => {
    const { server } = await openTour(LOUVRE, { description: "Le musée,\n<b>la nuit</b>" });
    const about = screen.getByRole("region", { name: "Description" });
    await waitFor(() => expect(about.textContent).toContain("Le musée,\n<b>la nuit</b>"));
    const description = "Voir https://example.org/nuit.";
    server.last.says({ type: "TOUR_DESCRIPTION", tourId: "tour_louvre", description, version: 2, timestamp: "" });
    expect((await within(about).findByRole("link")).getAttribute("href")).toBe("https://example.org/nuit");
    server.last.says({ type: "TOUR_DESCRIPTION", tourId: "tour_louvre", description: "", version: 3, timestamp: "" });
    expect(await within(about).findByText("Cette visite n’a pas encore de description.")).toBeDefined();
  });

  it("that there is not says so, and leads back", async () => {
    service.tour.mockResolvedValue(null);
    await open("/tours/tour_nowhere");
    expect((await screen.findByRole("alert")).textContent).toContain("Cette visite n’existe pas.");
    expect(within(main()).getByRole("link", { name: "Toutes les visites" })).toBeDefined();
  });

  it("whose tour closes says so, and shows it again when it opens", async () => {
    service.tour.mockResolvedValue({ ...louvre, closed: true });
    const { server } = await openTour(LOUVRE);
    server.last.says({ type: "TOUR_CLOSED", tourId: "tour_louvre", version: 7, timestamp: "2026-06-01T10:01:00.000Z" });
    expect((await screen.findByRole("alert")).textContent).toContain("Louvre Night TourCette visite n’est plus en vente.");
    server.last.says(update("tour_louvre", 8, 9, { tourName: "Louvre Night Tour" }));
    await waitFor(() => expect(main().textContent).toContain("9 places restantes"));
  });

  it("can ask again when the service did not say what became of the tour", async () => {
    service.tour.mockRejectedValue(new Unanswered());
    await open("/tours/tour_nowhere");
    const retry = await screen.findByRole("button", { name: "Réessayer" });
    service.tour.mockResolvedValue(null);
    await userEvent.click(retry);
    expect(await screen.findByText("Cette visite n’existe pas.")).toBeDefined();
  });

  it("without a departure on sale says so in place of the form", async () => {
    const none: Tour = { ...paris, available_seats: 0, capacity: 0, departures: [] };
    await openTour(PARIS, { tours: [none] });
    expect(screen.getByText("Aucun départ n’est en vente pour le moment.")).toBeDefined();
    expect(screen.queryByRole("textbox")).toBeNull();
  });
});

describe("booking", () => {
  it("asks for a departure first, then books it and shows the receipt", async () => {
    book.mockResolvedValue(booked);
    await openTour(PARIS);
    await userEvent.click(bookButton());
    expect(screen.getByRole("alert").textContent).toBe("Choisissez d’abord un départ.");
    expect(book).not.toHaveBeenCalled();

    await chooseFirst();
    await userEvent.click(screen.getByRole("button", { name: "Une place de plus" }));
    expect(bookButton().textContent).toBe("Réserver · 98\u00a0€");
    await userEvent.click(bookButton());
    await screen.findByText("Réservation confirmée");
    expect(book.mock.calls[0]?.[0]).toEqual({ tourId: "tour_paris", departureId: "dep_1", seats: 2 });
    expect(main().textContent).toContain("bkg_0a1b2c");
    // The answer is a fact like any other: the seats are right before a frame says so.
    await waitFor(() => expect(main().textContent).toContain("31 places restantes"));
    await screen.findByText(/^Réservation confirmée.: Paris City Tour, 2.places$/, {}, { timeout: 3_000 });
  });

  it("each click has its own key, and a retry has the click's", async () => {
    book.mockRejectedValueOnce(new Unanswered()).mockResolvedValue(booked);
    await openTour(LOUVRE);
    await userEvent.click(bookButton());
    await userEvent.click(await screen.findByRole("button", { name: "Réessayer" }));
    await waitFor(() => expect(bookButton().getAttribute("aria-disabled")).toBe("false"));
    expect(document.activeElement).toBe(bookButton());
    await userEvent.click(bookButton());
    await waitFor(() => expect(book).toHaveBeenCalledTimes(3));
    const [first, again, second] = book.mock.calls.map(([, key]) => key);
    expect(again).toBe(first);
    expect(second).not.toBe(first);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
  });

  it("a refusal is the service's sentence and what is left, which can be asked for", async () => {
    book.mockRejectedValue(new Refused(rest.Problem));
    await openTour(LOUVRE);
    await userEvent.click(bookButton());
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Pas assez de places disponibles. Il ne reste que 2\u00a0places.");
    await userEvent.click(within(alert).getByRole("button", { name: "Demander 2\u00a0places" }));
    expect((screen.getByRole("textbox") as HTMLInputElement).value).toBe("2");
    expect(document.activeElement).toBe(bookButton());
    expect(book).toHaveBeenCalledTimes(1);
  });

  it.each(["0", "-1", "1.5", "", "deux"])("%j seats are not sent", async (field) => {
    await openTour(LOUVRE);
    const input = screen.getByRole("textbox", { name: "Nombre de places" });
    await userEvent.clear(input);
    if (field !== "") await userEvent.type(input, field);
    await userEvent.click(bookButton());
    expect(book).not.toHaveBeenCalled();
    expect(main().textContent).toContain("Indiquez un nombre entier de places");
  });

  it("needs a connection, and says so", async () => {
    const { server, page } = await openTour(LOUVRE);
    page.isOnline = false;
    server.last.ends(1006);
    expect(await screen.findByText(/Hors ligne.: réserver demande une connexion/)).toBeDefined();
    await userEvent.click(bookButton());
    expect(book).not.toHaveBeenCalled();
  });

  it("a departure that was chosen and is gone is not replaced by the one that is left", async () => {
    const { server } = await openTour(PARIS);
    await chooseFirst();
    const timestamp = "2026-06-01T10:01:00.000Z";
    server.last.says({ type: "TOUR_CLOSED", tourId: "tour_paris", departureId: "dep_1", version: 6, timestamp });
    expect(await screen.findByText(/Le départ que vous aviez choisi n’est plus en vente/)).toBeDefined();
    await userEvent.click(bookButton());
    expect(book).not.toHaveBeenCalled();
    await chooseFirst();
    book.mockResolvedValue(booked);
    await userEvent.click(bookButton());
    expect(book.mock.calls[0]?.[0].departureId).toBe("dep_2");
  });

  it("a departure whose time has come is not offered, even before the service says so", async () => {
    const soon = new Date(TODAY.getTime() + 300).toISOString();
    const departures = (paris.departures ?? []).map((one) => (one.id === "dep_1" ? { ...one, startsAt: soon } : one));
    await openTour(PARIS, { tours: [{ ...paris, departures }] });
    expect(screen.getAllByRole("radio")).toHaveLength(2);
    vi.setSystemTime(soon);
    await waitFor(() => expect(screen.getAllByRole("radio")).toHaveLength(1));
  });
});

describe("a booking of somebody who is signed in", () => {
  const signedIn = { userId: "alice" };

  it("is confirmed by the socket where the answer was lost, once", async () => {
    book.mockRejectedValue(new Unanswered());
    read.mockResolvedValue(booked.booking);
    const { server } = await openTour(PARIS, signedIn);
    await chooseFirst();
    await userEvent.click(bookButton());
    await screen.findByText("Pas de réponse");
    server.last.says(told);
    await waitFor(() => expect(receipts()).toHaveLength(1), { timeout: 3_000 });
    expect(read).toHaveBeenCalledWith("bkg_0a1b2c");
    expect(screen.queryByText("Pas de réponse")).toBeNull();
  });

  it("is shown once where both the answer and the socket say it", async () => {
    book.mockResolvedValue(booked);
    const { server } = await openTour(PARIS, signedIn);
    await chooseFirst();
    await userEvent.click(bookButton());
    server.last.says(told);
    await waitFor(() => expect(receipts()).toHaveLength(1));
    await act(async () => new Promise((resolve) => setTimeout(resolve, 1_100)));
    // The receipt says it; the bell's toast does not say it again.
    expect(receipts()).toHaveLength(1);
    expect(document.querySelector('[data-type="BOOKING_CONFIRMED"]')).toBeNull();
    expect(read).not.toHaveBeenCalled();
  });

  it("is not taken for another one that was confirmed meanwhile", async () => {
    book.mockRejectedValue(new Unanswered());
    const { server } = await openTour(PARIS, signedIn);
    await chooseFirst();
    await userEvent.click(bookButton());
    await screen.findByText("Pas de réponse");
    server.last.says({ ...told, seats: 4 });
    server.last.says({ ...told, departureId: "dep_2", messageId: "msg_2" });
    await act(async () => new Promise((resolve) => setTimeout(resolve, 1_100)));
    expect(read).not.toHaveBeenCalled();
    expect(screen.getByText("Pas de réponse")).toBeDefined();
  });

  it("is not shown to whoever signs in next, nor kept in the tab", async () => {
    book.mockResolvedValue(booked);
    const { sessions } = await openTour(PARIS, signedIn);
    await chooseFirst();
    await userEvent.click(bookButton());
    await waitFor(() => expect(receipts()).toHaveLength(1));
    act(() => sessions.signOut());
    expect(receipts()).toHaveLength(0);
    expect(sessionStorage.getItem("seatcast.bookings")).toBe("[]");
  });

  it("that is cancelled elsewhere says so here", async () => {
    book.mockResolvedValue(booked);
    const { server } = await openTour(PARIS, signedIn);
    await chooseFirst();
    await userEvent.click(bookButton());
    await waitFor(() => expect(receipts()).toHaveLength(1));
    act(() => server.last.says({ ...told, type: "BOOKING_CANCELLED", messageId: "msg_9" }));
    expect(await screen.findByRole("group", { name: "Réservation annulée" })).toBeDefined();
  });
});

describe("a receipt", () => {
  it("can cancel its booking, after asking", async () => {
    book.mockResolvedValue(booked);
    cancel.mockResolvedValue({ ...booked.booking, status: "cancelled" });
    await openTour(PARIS);
    await chooseFirst();
    await userEvent.click(bookButton());
    await userEvent.click(await screen.findByRole("button", { name: "Annuler la réservation" }));
    expect(cancel).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole("button", { name: "Oui, annuler" }));
    await screen.findByText("Réservation annulée");
    expect(cancel).toHaveBeenCalledWith("bkg_0a1b2c");
  });

  it("is still there after a reload, until it is put away", async () => {
    sessionStorage.setItem("seatcast.bookings", JSON.stringify([booked.booking]));
    await openTour(PARIS);
    await userEvent.click(screen.getByRole("button", { name: "Fermer" }));
    expect(receipts()).toHaveLength(0);
    expect(JSON.parse(sessionStorage.getItem("seatcast.bookings") ?? "")).toEqual([{ ...booked.booking, closed: true }]);
  });
});
