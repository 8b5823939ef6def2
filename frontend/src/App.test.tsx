// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import type { BookResponse, Client, Tour } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import rest from "../../contract/rest.json";
import { type Api, Refused, Unanswered } from "./api";
import { App } from "./App";
import { ApiContext } from "./bookings";
import { type FakeServer, fakeClient, snapshot, update, welcome } from "../packages/client/src/testing/fakes";

const book = vi.fn<Api["book"]>();
const cancel = vi.fn<Api["cancel"]>();
const onLanguage = vi.fn();
const booked = rest.BookResponse as BookResponse;
const paris = rest["Tour dated"] as Tour;
const louvre = rest["Tour undated"] as Tour;

/** Render the whole page, connected, with the contract's two tours. */
async function open(tours: readonly Tour[] = [paris, louvre], path = "/"): Promise<FakeServer> {
  const { client, server, read } = fakeClient();
  read.mockResolvedValue(snapshot(tours));
  render(
    <StrictMode>
      <MantineProvider>
        <ApiContext value={{ book, cancel } as unknown as Api}>
          <SeatcastProvider client={client as unknown as Client}>
            <Router hook={memoryLocation({ path }).hook}>
              <App language="fr" storage={sessionStorage} onLanguage={onLanguage} />
            </Router>
          </SeatcastProvider>
        </ApiContext>
      </MantineProvider>
    </StrictMode>,
  );
  await waitFor(() => expect(server.sockets).toHaveLength(1));
  server.last.says(welcome());
  await screen.findAllByText("En direct");
  return server;
}

/** A page that is loaded when it is gone to. */
const LOADING = { timeout: 10_000 };

const card = (name: string): Promise<HTMLElement> => screen.findByRole("article", { name });
const bookButton = (within_: HTMLElement): HTMLElement => within(within_).getByRole("button", { name: /^Réserver|^Book/ });

beforeEach(() => {
  // What jsdom has not, and Mantine asks for.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  sessionStorage.clear();
  for (const mock of [book, cancel, onLanguage]) mock.mockReset();
});

afterEach(cleanup);

describe("a tour's card", () => {
  it("says seats in figures, how full in a word, the price, and the departures in the tour's zone", async () => {
    await open();
    const shown = await card("Paris City Tour");
    expect(shown.textContent).toContain("33 places restantes sur 40");
    expect(shown.textContent).toContain("49\u00a0€ par personne");
    expect(within(shown).getByRole("group", { name: /mardi 14 juillet/ }).textContent).toContain("10:30");
    expect(within(shown).getAllByText("Disponible").length).toBeGreaterThan(0);
  });

  it("follows the socket, down to sold out", async () => {
    const server = await open();
    const shown = await card("Louvre Night Tour");
    server.last.says(update("tour_louvre", 7, 4, { tourName: "Louvre Night Tour" }));
    await within(shown).findByText("Dernières places");
    server.last.says(update("tour_louvre", 8, 0, { tourName: "Louvre Night Tour" }));
    await waitFor(() => expect(shown.textContent).toContain("0 place restante"));
    const button = within(shown).getByRole("button", { name: "Complet" });
    await userEvent.click(button);
    expect(button.getAttribute("aria-disabled")).toBe("true");
    expect(book).not.toHaveBeenCalled();
  });

  it("thresholds are announced once, politely", async () => {
    const server = await open();
    await card("Louvre Night Tour");
    server.last.says(update("tour_louvre", 7, 14, { tourName: "Louvre Night Tour" }));
    server.last.says(update("tour_louvre", 8, 3, { tourName: "Louvre Night Tour" }));
    await screen.findByText(/Louvre Night Tour.: il ne reste que 3.places/, {}, { timeout: 3_000 });
  });
});

describe("booking", () => {
  it("asks for a departure first, then books it and shows the receipt", async () => {
    book.mockResolvedValue(booked);
    await open();
    const shown = await card("Paris City Tour");
    await userEvent.click(bookButton(shown));
    expect(within(shown).getByRole("alert").textContent).toBe("Choisissez d’abord un départ.");
    expect(book).not.toHaveBeenCalled();

    await userEvent.click(within(shown).getAllByRole("radio")[0] as HTMLElement);
    await userEvent.click(within(shown).getByRole("button", { name: "Une place de plus" }));
    expect(bookButton(shown).textContent).toBe("Réserver · 98\u00a0€");
    await userEvent.click(bookButton(shown));
    await within(shown).findByText("Réservation confirmée");
    expect(book.mock.calls[0]?.[0]).toEqual({ tourId: "tour_paris", departureId: "dep_1", seats: 2 });
    expect(shown.textContent).toContain("bkg_0a1b2c");
    // The answer is a fact like any other: the seats are right before a frame says so.
    await waitFor(() => expect(shown.textContent).toContain("31 places restantes"));
  });

  it("each click has its own key, and a retry has the click's", async () => {
    book.mockRejectedValueOnce(new Unanswered()).mockResolvedValue(booked);
    await open();
    const shown = await card("Louvre Night Tour");
    await userEvent.click(bookButton(shown));
    await userEvent.click(await within(shown).findByRole("button", { name: "Réessayer" }));
    await waitFor(() => expect(bookButton(shown).getAttribute("aria-disabled")).toBe("false"));
    expect(document.activeElement).toBe(bookButton(shown));
    await userEvent.click(bookButton(shown));
    await waitFor(() => expect(book).toHaveBeenCalledTimes(3));
    const [first, again, second] = book.mock.calls.map(([, key]) => key);
    expect(again).toBe(first);
    expect(second).not.toBe(first);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
  });

  it("a refusal is the service's sentence and what is left", async () => {
    book.mockRejectedValue(new Refused(rest.Problem));
    await open();
    const shown = await card("Louvre Night Tour");
    await userEvent.click(bookButton(shown));
    const alert = await within(shown).findByRole("alert");
    expect(alert.textContent).toContain("Pas assez de places disponibles. Il ne reste que 2\u00a0places.");
  });

  it.each(["0", "-1", "1.5", "", "deux"])("%j seats are not sent", async (field) => {
    await open();
    const shown = await card("Louvre Night Tour");
    const input = within(shown).getByRole("textbox", { name: "Nombre de places" });
    await userEvent.clear(input);
    if (field !== "") await userEvent.type(input, field);
    await userEvent.click(bookButton(shown));
    expect(book).not.toHaveBeenCalled();
    expect(shown.textContent).toContain("Indiquez un nombre entier de places");
  });
});

describe("a booking that was made", () => {
  it("can be cancelled, after asking", async () => {
    book.mockResolvedValue(booked);
    cancel.mockResolvedValue({ ...booked.booking, status: "cancelled" });
    await open();
    const shown = await card("Paris City Tour");
    await userEvent.click(within(shown).getAllByRole("radio")[0] as HTMLElement);
    await userEvent.click(bookButton(shown));
    await userEvent.click(await within(shown).findByRole("button", { name: "Annuler la réservation" }));
    expect(cancel).not.toHaveBeenCalled();
    await userEvent.click(within(shown).getByRole("button", { name: "Oui, annuler" }));
    await within(shown).findByText("Réservation annulée");
    expect(cancel).toHaveBeenCalledWith("bkg_0a1b2c");
  });

  it("is still there after a reload, and when its tour is no longer sold", async () => {
    sessionStorage.setItem("seatcast.bookings", JSON.stringify([booked.booking]));
    await open([louvre]);
    await card("Louvre Night Tour");
    expect(screen.getByText("Vos réservations sur des visites qui ne sont plus en vente")).toBeDefined();
    expect(screen.getByText(/bkg_0a1b2c/)).toBeDefined();
  });
});

describe("the page", () => {
  it("speaks English when asked, and says so to the document", async () => {
    await open();
    await userEvent.click(screen.getByTitle("Read this page in English"));
    expect(screen.getByRole("heading", { name: "Our tours" })).toBeDefined();
    expect(document.documentElement.lang).toBe("en");
    expect(document.title).toContain("seats, live");
    expect(onLanguage).toHaveBeenCalledWith("en");
  });

  it("says when it is no longer live, and how old the seats are", async () => {
    const server = await open();
    server.last.ends(4401);
    await screen.findByRole("button", { name: "Reconnecter maintenant" }, { timeout: 3_000 });
    expect(screen.getByText(/code 4401/)).toBeDefined();
  });

  it("an address without a page says so, and leads back", async () => {
    await open([], "/nowhere");
    expect(screen.getByRole("alert").textContent).toContain("Cette page n’existe pas.");
    await userEvent.click(screen.getByRole("link", { name: "Retour aux visites" }));
    expect(screen.getByRole("heading", { name: "Nos visites" })).toBeDefined();
  });

  it("an empty catalogue is said, not left blank", async () => {
    await open([]);
    expect(await screen.findByText("Aucune visite n’est en vente pour le moment.")).toBeDefined();
  });
});

it("the random numbers have a page of their own: the newest, when it came, and the ten last in all", async () => {
  const server = await open([], "/random-numbers");
  expect(await screen.findByText("En attente du premier nombre…", {}, LOADING)).toBeDefined();
  // StrictMode mounts twice; what was said last counts.
  expect(server.last.sent.at(-1)).toEqual({ type: "SUBSCRIBE", channel: "random-numbers" });
  for (let value = 1; value <= 12; value += 1) {
    const timestamp = `2025-01-08T10:40:${String(value).padStart(2, "0")}.000Z`;
    server.last.says({ type: "RANDOM_NUMBER", value, timestamp });
  }
  await screen.findByText("12");
  const before = within(screen.getByRole("region", { name: "Les précédents" })).getAllByRole("listitem");
  expect(before.map((item) => item.querySelector("strong")?.textContent)).toEqual(
    Array.from({ length: 9 }, (_, at) => `${11 - at}`),
  );
});
