// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import type { Client, Tour } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import rest from "../../../contract/rest.json";
import { fakeClient, snapshot, welcome, type World } from "../../packages/client/src/testing/fakes";
import { DescriptionList } from "./DescriptionList";

const louvre = rest["Tour undated"] as Tour;
const named = (name: string): Tour => ({ ...louvre, id: `tour_${name.toLowerCase().replace(/\W/g, "_")}`, name });

function show(client: Client): void {
  render(
    <MantineProvider>
      <SeatcastProvider client={client}>
        <DescriptionList />
      </SeatcastProvider>
    </MantineProvider>,
  );
}

async function open(tours: readonly Tour[], descriptions: Readonly<Record<string, string>> = {}): Promise<World> {
  const world = fakeClient();
  world.read.mockResolvedValue(snapshot(tours));
  world.answer.mockImplementation(async (path) => {
    const id = path.split("/").at(-1) ?? "";
    return { body: { description: descriptions[id], descriptionVersion: 1, timestamp: "" }, headers: new Headers() };
  });
  show(world.client as unknown as Client);
  await waitFor(() => expect(world.server.sockets).toHaveLength(1));
  world.server.last.says(welcome());
  return world;
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
});
afterEach(cleanup);

it("says which tours have a description, how long it is, and follows it", async () => {
  const { server } = await open([named("Albi"), named("Metz")], { tour_metz: "The cathedral by night" });
  const items = await screen.findAllByRole("listitem");
  await waitFor(() => expect(items.map((item) => item.textContent)).toEqual(["AlbiSans description", "Metz4\u00a0motsThe cathedral by night"]));
  expect(screen.getByRole("link", { name: "Metz" }).getAttribute("href")).toBe("/descriptions/tour_metz");
  server.last.says({ type: "TOUR_DESCRIPTION", tourId: "tour_albi", description: "Brick", version: 3, timestamp: "" });
  await screen.findByText("1 mot");
});

it("finds tours by name and shows thirty at first", async () => {
  await open(Array.from({ length: 40 }, (_, at) => named(`Tour ${at + 10}`)).concat(named("Évreux")));
  expect(await screen.findAllByRole("listitem")).toHaveLength(30);
  await userEvent.click(screen.getByRole("button", { name: "Afficher 11\u00a0autres visites" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(41);
  await userEvent.type(screen.getByRole("searchbox", { name: "Chercher une visite" }), "evr");
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["ÉvreuxSans description"]);
  await userEvent.type(screen.getByRole("searchbox"), "xyz");
  expect(screen.getByText(/Aucune visite ne correspond/).textContent).toContain("evrxyz");
});

it("that nothing is on sale is said", async () => {
  await open([]);
  await screen.findByText("Aucune visite n\u2019est en vente pour le moment.");
});

it("a service that does not answer is said", async () => {
  const { client, read } = fakeClient();
  read.mockRejectedValue(new Error("no answer"));
  show(client as unknown as Client);
  await screen.findByText("Le service ne répond pas.");
});
