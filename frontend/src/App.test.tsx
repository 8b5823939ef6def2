// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { update } from "../packages/client/src/testing/fakes";
import { onLanguage, open, prepare, tidy } from "./testing/open";

const card = (name: string): Promise<HTMLElement> => screen.findByRole("article", { name });

beforeEach(prepare);
afterEach(tidy);

describe("a tour's card", () => {
  it("says seats in figures, how full in a word, and the price", async () => {
    await open("/");
    const shown = await card("Paris City Tour");
    expect(shown.textContent).toContain("33 places restantes sur 40");
    expect(shown.textContent).toContain("49\u00a0€ par personne");
    expect(within(shown).getByText("Disponible")).toBeDefined();
  });

  it("is one link to the tour's page, by the tour's name, and holds nothing else to press", async () => {
    await open("/");
    const shown = await card("Paris City Tour");
    const link = within(shown).getByRole("link", { name: "Paris City Tour" });
    expect(shown.querySelectorAll("a, button, input")).toHaveLength(1);
    await userEvent.click(link);
    expect(await screen.findByRole("heading", { level: 1, name: "Paris City Tour" })).toBeDefined();
  });

  it("follows the socket, down to sold out", async () => {
    const { server } = await open("/");
    const shown = await card("Louvre Night Tour");
    server.last.says(update("tour_louvre", 7, 4, { tourName: "Louvre Night Tour" }));
    await within(shown).findByText("Dernières places");
    server.last.says(update("tour_louvre", 8, 0, { tourName: "Louvre Night Tour" }));
    await within(shown).findByText("Complet");
    expect(shown.textContent).toContain("0 place restante");
  });

  it("thresholds are announced once, politely", async () => {
    const { server } = await open("/");
    await card("Louvre Night Tour");
    server.last.says(update("tour_louvre", 7, 14, { tourName: "Louvre Night Tour" }));
    server.last.says(update("tour_louvre", 8, 3, { tourName: "Louvre Night Tour" }));
    await screen.findByText(/Louvre Night Tour.: il ne reste que 3.places/, {}, { timeout: 3_000 });
  });
});

describe("the page", () => {
  it("speaks English when asked, and says so to the document", async () => {
    await open("/");
    await userEvent.click(screen.getByTitle("Read this page in English"));
    expect(screen.getByRole("heading", { name: "Our tours" })).toBeDefined();
    expect(document.documentElement.lang).toBe("en");
    expect(document.title).toContain("seats, live");
    expect(onLanguage).toHaveBeenCalledWith("en");
  });

  it("says when it is no longer live, and how old the seats are", async () => {
    const { server } = await open("/");
    server.last.ends(4401);
    await screen.findByRole("button", { name: "Reconnecter maintenant" }, { timeout: 3_000 });
    expect(screen.getByText(/code 4401/)).toBeDefined();
  });

  it("an address without a page says so, and leads back", async () => {
    await open("/nowhere", { tours: [] });
    expect(screen.getByRole("alert").textContent).toContain("Cette page n’existe pas.");
    await userEvent.click(screen.getByRole("link", { name: "Retour aux visites" }));
    expect(screen.getByRole("heading", { name: "Nos visites" })).toBeDefined();
  });

  it("an empty catalogue is said, not left blank", async () => {
    await open("/", { tours: [] });
    expect(await screen.findByText("Aucune visite n’est en vente pour le moment.")).toBeDefined();
  });
});

describe("going to another page", () => {
  it("puts the keyboard on its heading, the view at its top, and its name in the title", async () => {
    await open("/");
    await userEvent.click(within(await card("Paris City Tour")).getByRole("link"));
    const heading = await screen.findByRole("heading", { level: 1, name: "Paris City Tour" });
    await waitFor(() => expect(document.activeElement).toBe(heading));
    expect(window.scrollTo).toHaveBeenLastCalledWith(0, 0);
    expect(document.title).toBe("Paris City Tour \u2013 Seatcast");
  });

  it("and back puts both where they were", async () => {
    await open("/");
    Object.assign(window, { scrollY: 240 });
    window.dispatchEvent(new Event("scroll"));
    await userEvent.click(within(await card("Paris City Tour")).getByRole("link"));
    await screen.findByRole("heading", { level: 1, name: "Paris City Tour" });
    history.back();
    const link = await screen.findByRole("link", { name: "Paris City Tour" });
    await waitFor(() => expect(document.activeElement).toBe(link));
    expect(window.scrollTo).toHaveBeenLastCalledWith(0, 240);
  });

  it("but the first page of all leaves the keyboard where it is", async () => {
    await open("/");
    await card("Paris City Tour");
    expect(document.activeElement).toBe(document.body);
    expect(window.scrollTo).not.toHaveBeenCalled();
  });
});

it("the random numbers have a page of their own: the newest, when it came, and the ten last in all", async () => {
  const { server } = await open("/random-numbers", { tours: [] });
  expect(await screen.findByText("En attente du premier nombre…")).toBeDefined();
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
