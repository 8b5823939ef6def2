// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import type { Client, ShopMetrics } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import rest from "../../../contract/rest.json";
import { type FakeServer, fakeClient, snapshot, update, welcome } from "../../packages/client/src/testing/fakes";
import { type Api, Refused, Unanswered } from "../api";
import { App } from "../App";
import { ApiContext } from "../bookings";
import { Sessions, SessionsContext } from "../session";

// The page is loaded when it is gone to, which takes as long as the machine wants.
configure({ asyncUtilTimeout: 5_000 });

// It draws on a canvas, which jsdom has not; what it draws is beside it as a table.
vi.mock("../admin/TimeChart", () => ({ TimeChart: () => null }));

const metrics = vi.fn<Api["metrics"]>();
const answer = rest.ShopMetrics as ShopMetrics;
const figures = { ...answer, tours: undefined };
const later = (seconds: number): string => new Date(Date.parse(answer.timestamp) + seconds * 1_000).toISOString();

function token(...roles: readonly string[]): string {
  return `e30.${btoa(JSON.stringify({ userId: "ada", roles })).replaceAll("=", "")}.c2ln`;
}

async function open(...roles: readonly string[]): Promise<FakeServer> {
  const { client, server, read } = fakeClient();
  read.mockResolvedValue(snapshot([]));
  const sessions = new Sessions(null);
  sessions.signIn(token(...roles));
  render(
    <StrictMode>
      <MantineProvider>
        <ApiContext value={{ metrics } as unknown as Api}>
          <SeatcastProvider client={client as unknown as Client}>
            <SessionsContext value={sessions}>
              <Router hook={memoryLocation({ path: "/admin" }).hook}>
                <App language="fr" storage={null} onLanguage={vi.fn()} />
              </Router>
            </SessionsContext>
          </SeatcastProvider>
        </ApiContext>
      </MantineProvider>
    </StrictMode>,
  );
  await waitFor(() => expect(server.sockets).toHaveLength(1));
  server.last.says(welcome());
  return server;
}

const figure = async (label: string): Promise<string | null | undefined> =>
  (await screen.findByText(label, { selector: "dt" })).parentElement?.textContent;
const row = (name: string): Promise<HTMLElement> => screen.findByRole("row", { name: new RegExp(name) });
const rows = (): (string | null | undefined)[] =>
  within(screen.getByRole("table", { name: "Visites" }))
    .getAllByRole("rowheader")
    .map((header) => header.textContent);
const tail = (): string | null => screen.getByRole("region", { name: "Événements de cette connexion" }).textContent;

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  metrics.mockReset().mockResolvedValue(answer);
});

afterEach(cleanup);

describe("an admin", () => {
  it("sees the figures of the shop, by currency, and each gateway's connections", async () => {
    const server = await open("admin");
    expect(await figure("Chiffre d’affaires")).toMatch(/8.500,50.€99,99.£/);
    expect(await figure("Réservations actives")).toContain("42");
    expect(await figure("Connexions")).toMatch(/141sur 2.passerelles/);
    expect(within(await screen.findByRole("region", { name: "Passerelles" })).getByText("paris-2")).toBeDefined();
    await waitFor(() => expect(server.last.sent).toContainEqual({ type: "SUBSCRIBE", channel: "metrics" }));
    server.last.says({ type: "METRICS_UPDATE", ...figures, activeBookings: 43, timestamp: later(2) });
    await waitFor(async () => expect(await figure("Réservations actives")).toContain("43"));
  });

  it("sees each tour: live where a fact is newer, closed ones marked", async () => {
    const server = await open("admin");
    expect((await row("Rome")).textContent).toContain("Fermée");
    const fact = { tourName: "Paris City Tour", capacity: 120, held: 1, timestamp: later(1) };
    server.last.says(update("tour_paris", 9, 15, fact));
    await waitFor(async () => {
      const cells = within(await row("Paris City Tour")).getAllByRole("cell");
      expect(cells.map((cell) => cell.lastChild?.textContent).slice(0, 3)).toEqual(["104", "1", "15"]);
    });
    await waitFor(() => expect(tail()).toMatch(/Paris City Tour.*15.places/));
  });

  it("sorts the tours by any column", async () => {
    await open("admin");
    await row("Rome");
    expect(rows()).toEqual(["Paris City Tour", "Rome Colosseum TourFermée"]);
    const sold = screen.getByRole("columnheader", { name: "Vendues" });
    await userEvent.click(within(sold).getByRole("button"));
    await userEvent.click(within(sold).getByRole("button"));
    expect(rows()).toEqual(["Rome Colosseum TourFermée", "Paris City Tour"]);
    expect(sold.getAttribute("aria-sort")).toBe("ascending");
  });

  it("reads a chart as a table, before and after asking for it", async () => {
    await open("admin");
    const caption = "Réservations actives, à la fin de chaque minute";
    await waitFor(async () => {
      const table = await screen.findByRole("table", { name: caption });
      expect(within(table).getByRole("cell").textContent).toBe("42");
    });
    const button = screen.getByRole("button", { name: /Tableau.: Réservations actives/ });
    await userEvent.click(button);
    expect(button.getAttribute("aria-pressed")).toBe("true");
    expect(within(screen.getByRole("table", { name: caption })).getByRole("cell").textContent).toBe("42");
  });

  it("pauses the events, chooses their kinds, and is told how many are new", async () => {
    const server = await open("admin");
    await row("Rome");
    server.last.says(update("tour_a", 1, 5, { tourName: "Albi" }));
    await waitFor(() => expect(tail()).toContain("Albi"));
    await userEvent.click(screen.getByRole("button", { name: "Mettre en pause" }));
    server.last.says(update("tour_b", 1, 5, { tourName: "Metz" }));
    await screen.findByText(/^1.nouveau$/);
    expect(tail()).not.toContain("Metz");
    await userEvent.click(screen.getByRole("button", { name: "Reprendre" }));
    expect(tail()).toContain("Metz");
    await userEvent.click(screen.getByRole("checkbox", { name: "Places" }));
    expect(tail()).not.toContain("Metz");
  });

  it("is told when the figures are old", async () => {
    const server = await open("admin");
    await row("Rome");
    server.last.ends(1006);
    await screen.findByText(/Ces chiffres datent de .*, il y a \d+.secondes?\./);
  });

  it("of an empty shop is told that it is empty", async () => {
    metrics.mockResolvedValue(rest["ShopMetrics right after a start"] as ShopMetrics);
    await open("admin");
    await screen.findByText("Aucune visite pour le moment.");
    expect(await figure("Utilisateurs")).toContain("non communiqué");
    expect(screen.getByText("Les passerelles ne se sont pas encore présentées.")).toBeDefined();
  });

  it("is offered to ask again where there is no answer", async () => {
    metrics.mockRejectedValue(new Unanswered());
    await open("admin");
    await screen.findByText("Le service ne répond pas.");
    metrics.mockResolvedValue(answer);
    await userEvent.click(screen.getByRole("button", { name: "Réessayer" }));
    expect(await row("Rome")).toBeDefined();
  });
});

it("whom the service refuses is told so, whatever their token says of itself", async () => {
  metrics.mockRejectedValue(new Refused({ error: "Interdit", code: "FORBIDDEN" }));
  await open("admin");
  await screen.findByText("Cette page demande un autre compte.");
});

it("whoever has not the role gets neither the page nor its figures", async () => {
  await open("staff");
  await screen.findByText("Cette page demande un autre compte.");
  expect(metrics).not.toHaveBeenCalled();
});
