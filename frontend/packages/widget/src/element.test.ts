// @vitest-environment jsdom
import { createClient, HttpError, oneByOne, type ReadTours, type Tour } from "@seatcast/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClient, update, welcome, type World } from "../../client/src/testing/fakes";
import { TourAvailability } from "./element";
import { AGAIN_MS, FIRST_MS } from "./inquiry";

vi.mock("@seatcast/client", async (original) => ({ ...(await original<object>()), createClient: vi.fn() }));

const EPOCH = { "Seatcast-Epoch": "e1" };
const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

let world: World;
/** What the service has, by id. */
let tours: Record<string, Tour>;
/** A service of each test's own, because the page shares its connection. */
let api = "";
let count = 0;
/** How the page's client is told to read. */
let read: ReadTours;

const paris = (more: Partial<Tour> = {}): Tour => ({
  id: "paris",
  name: "Paris",
  available_seats: 12,
  capacity: 40,
  held: 0,
  price: 49,
  currency: "EUR",
  timeZone: "Europe/Paris",
  version: 1,
  timestamp: "2026-06-01T10:00:00.000Z",
  ...more,
});

/** Write tags into the page, with `api` of this test where they say API. */
async function page(html: string): Promise<HTMLElement[]> {
  document.body.innerHTML = html.replaceAll("API", `api="${api}"`);
  await pass(50);
  return [...document.querySelectorAll<HTMLElement>("tour-availability")];
}

async function live(html = '<tour-availability tour="paris" API></tour-availability>'): Promise<HTMLElement> {
  const [tag] = await page(html);
  world.server.last.says(welcome({ following: "named" }));
  await pass(50);
  return tag as HTMLElement;
}

const part = (tag: HTMLElement, name: string): HTMLElement =>
  tag.shadowRoot?.querySelector(`[part="${name}"]`) as HTMLElement;
const text = (tag: HTMLElement, name: string): string => part(tag, name).textContent ?? "";
const state = (tag: HTMLElement): string | null => part(tag, "box").getAttribute("data-state");
const voice = (tag: HTMLElement): string => tag.shadowRoot?.querySelector('[role="status"]')?.textContent ?? "";
const standIn = (tag: HTMLElement): boolean => !(tag.shadowRoot?.querySelector(".stand-in") as HTMLElement).hidden;

async function sell(version: number, left: number): Promise<void> {
  world.server.last.says(update("paris", version, left, { tourName: "Paris" }));
  await pass(50);
}

beforeEach(() => {
  vi.useFakeTimers();
  api = `https://tours-${(count += 1)}.example`;
  tours = { paris: paris() };
  world = fakeClient({ tours: "watched", read: (...how) => read(...how) });
  read = oneByOne;
  vi.mocked(createClient)
    .mockReset()
    .mockImplementation((options) => {
      read = options?.read ?? read;
      return world.client as never;
    });
  world.answer.mockImplementation(async (path) => {
    const body = tours[path.slice("/api/tours/".length)];
    if (body === undefined) throw new HttpError(404, { code: "NOT_FOUND" });
    return { body, headers: new Headers(EPOCH) };
  });
  if (customElements.get("tour-availability") === undefined) customElements.define("tour-availability", TourAvailability);
});

afterEach(async () => {
  document.body.innerHTML = "";
  await pass(1_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a tag", () => {
  it("shows name, seats, level and last update once it is live", async () => {
    const tag = await live();
    expect(state(tag)).toBe("live");
    expect([text(tag, "name"), text(tag, "figure"), text(tag, "unit"), text(tag, "level")]).toEqual([
      "Paris",
      "12",
      "places restantes",
      "Disponible",
    ]);
    expect(text(tag, "note")).toMatch(/^En direct · mis à jour à /);
  });

  it("follows its tour down to sold out, and says so in words", async () => {
    const tag = await live();
    await sell(2, 1);
    expect([text(tag, "figure"), text(tag, "unit"), text(tag, "level")]).toEqual(["1", "place restante", "Dernières places"]);
    await sell(3, 0);
    expect([text(tag, "figure"), text(tag, "unit"), text(tag, "level")]).toEqual(["0", "place restante", "Complet"]);
  });

  it("speaks the language it is told, also when that changes", async () => {
    const tag = await live('<tour-availability tour="paris" lang="en" API></tour-availability>');
    expect([text(tag, "unit"), part(tag, "box").lang]).toEqual(["seats left", "en"]);
    tag.setAttribute("lang", "fr");
    expect(text(tag, "unit")).toBe("places restantes");
  });

  it("links to the page that it is given, and to no script", async () => {
    const tag = await live('<tour-availability tour="paris" href="/paris" API></tour-availability>');
    const link = part(tag, "link") as HTMLAnchorElement;
    expect([link.hidden, link.getAttribute("href"), link.getAttribute("aria-label")]).toEqual([
      false,
      "/paris",
      "Voir la visite\u00a0: Paris",
    ]);
    tag.setAttribute("href", "javascript:alert(1)");
    expect([link.hidden, link.getAttribute("href")]).toEqual([true, null]);
  });

  it("that names no tour, or no address, says that it knows none and tells the site why", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const [none, mail] = await page(
      '<tour-availability></tour-availability><tour-availability tour="paris" api="mailto:a@b"></tour-availability>',
    );
    expect([none, mail].map((tag) => state(tag as HTMLElement))).toEqual(["unknown", "unknown"]);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});

describe("the connection", () => {
  it("is one for all tags of a service, however its address is written, and names only their tours", async () => {
    tours["rome"] = paris({ id: "rome", name: "Rome" });
    await page(`
      <tour-availability tour="paris" API></tour-availability>
      <tour-availability tour="rome" api="${api}/"></tour-availability>
      <tour-availability tour="paris" lang="en" API></tour-availability>`);
    expect(createClient).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ api, tours: "watched" }));
    expect(world.server.sockets).toHaveLength(1);
    expect(world.server.last.query.get("tours")).toBe("paris,rome");
    expect(world.read).not.toHaveBeenCalled();
  });

  it("closes after the last tag is gone, not before", async () => {
    const tag = await live(
      '<tour-availability tour="paris" API></tour-availability><tour-availability tour="paris" API></tour-availability>',
    );
    tag.remove();
    await pass(2_000);
    expect(world.server.last.closedWith).toBeUndefined();
    document.querySelector("tour-availability")?.remove();
    await pass(2_000);
    expect(world.server.last.closedWith).toBe(1000);
  });

  it("stays when a tag moves, or names another tour", async () => {
    tours["rome"] = paris({ id: "rome", name: "Rome", available_seats: 3 });
    const tag = await live();
    document.body.append(tag);
    tag.setAttribute("tour", "rome");
    expect(state(tag)).toBe("loading");
    expect(world.server.last.sent).toContainEqual({ type: "SUBSCRIBE", tourId: "rome" });
    world.server.last.says({ ...update("rome", 1, 3, { tourName: "Rome" }), type: "INITIAL_STATE" });
    await pass(500);
    expect([text(tag, "name"), text(tag, "figure")]).toEqual(["Rome", "3"]);
    expect(world.server.sockets).toHaveLength(1);
  });
});

describe("what the site wrote into the tag", () => {
  const written = '<tour-availability tour="paris" API>99 places</tour-availability>';

  it("stands in until facts come, and never again after", async () => {
    const [tag] = (await (world.answer.mockRejectedValueOnce(new Error("slow")), page(written))) as [HTMLElement];
    expect([state(tag), standIn(tag)]).toEqual(["unreachable", true]);
    world.server.last.says(welcome({ following: "named" }));
    await pass(2_000);
    expect([state(tag), standIn(tag)]).toEqual(["live", false]);
    world.server.last.ends(1006);
    await pass(50);
    expect([state(tag), standIn(tag)]).toEqual(["old", false]);
    tag.setAttribute("tour", "nowhere");
    expect([state(tag), standIn(tag)]).toEqual(["loading", false]);
  });

  it("is nothing where there is only space, or only its own link", async () => {
    world.answer.mockRejectedValue(new Error("slow"));
    const [tag] = (await page('<tour-availability tour="paris" API> <a slot="link" href="/">x</a> </tour-availability>')) as [HTMLElement];
    expect(standIn(tag)).toBe(false);
  });
});

describe("what is not live is never shown as live", () => {
  it("after a sleep, from the first look at the page on, until the gateway has answered", async () => {
    const tag = await live();
    vi.setSystemTime(Date.now() + 3_600_000);
    window.dispatchEvent(new Event("pageshow"));
    expect(state(tag)).toBe("old");
    expect(text(tag, "note")).toMatch(/^Reconnexion… · places d’il y a 1\s+h$/);
    world.page.wake();
    world.server.last.says({ type: "PONG", serverTime: "2026-06-01T11:00:00.000Z" });
    await pass(300);
    expect(state(tag)).toBe("live");
  });

  it("in silence, once that is longer than a connection is silent", async () => {
    const tag = await live();
    vi.spyOn(world.client, "status").mockReturnValue({ kind: "connected", via: "socket" });
    await pass(60_000);
    expect(state(tag)).toBe("old");
    vi.mocked(world.client.status).mockRestore();
  });

  it("when the page is left, so that it comes back from the browser's memory as old", async () => {
    const tag = await live();
    world.page.leave();
    window.dispatchEvent(new Event("pagehide"));
    expect(state(tag)).toBe("old");
  });

  it("an age grows by itself", async () => {
    const tag = await live();
    world.server.last.ends(1006);
    await pass(200);
    const before = text(tag, "note");
    world.page.isOnline = false;
    await pass(3 * 60_000);
    expect(before).toMatch(/il y a 0\s+s$/);
    expect(text(tag, "note")).toMatch(/il y a [23]\s+min$/);
  });
});

describe("a tour that is not on sale", () => {
  it("was closed while we watched", async () => {
    const tag = await live();
    world.server.last.says({ type: "TOUR_CLOSED", tourId: "paris", version: 2, timestamp: "2026-06-01T10:00:00.000Z" });
    await pass(50);
    expect([state(tag), text(tag, "name"), text(tag, "message")]).toEqual(["closed", "Paris", "N’est plus en vente"]);
    await sell(3, 8);
    expect([state(tag), text(tag, "figure")]).toEqual(["live", "8"]);
  });

  it("was closed before", async () => {
    tours["paris"] = paris({ closed: true });
    const tag = await live();
    expect(state(tag)).toBe("loading");
    await pass(FIRST_MS);
    expect([state(tag), text(tag, "name")]).toEqual(["closed", "Paris"]);
  });

  it("is unknown, which the site is told; when it comes to be it is followed", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    tours = {};
    const tag = await live();
    await pass(FIRST_MS);
    expect([state(tag), text(tag, "message")]).toEqual(["unknown", "Visite inconnue"]);
    expect(warn).toHaveBeenCalledOnce();
    tours = { paris: paris() };
    await pass(AGAIN_MS / 2);
    world.server.last.says({ type: "PONG", serverTime: "2026-06-01T10:00:30.000Z" });
    await pass(AGAIN_MS / 2);
    expect(world.server.last.sent).toContainEqual({ type: "SUBSCRIBE", tourId: "paris" });
    world.server.last.says({ ...update("paris", 1, 12, { tourName: "Paris" }), type: "INITIAL_STATE" });
    await pass(500);
    expect(state(tag)).toBe("live");
    warn.mockRestore();
  });
});

describe("screen readers", () => {
  it("hear of thresholds alone, and once where several tags show the same tour", async () => {
    await live(
      '<tour-availability tour="paris" API></tour-availability><tour-availability tour="paris" API></tour-availability>',
    );
    const tags = [...document.querySelectorAll<HTMLElement>("tour-availability")];
    await sell(2, 7);
    expect(tags.map(voice)).toEqual(["", ""]);
    await sell(3, 4);
    expect(tags.map(voice)).toEqual(["Paris\u00a0: il ne reste que 4\u00a0places", ""]);
    await sell(4, 3);
    expect(voice(tags[0] as HTMLElement)).toContain("4\u00a0places");
    await sell(5, 0);
    expect(tags.map(voice)).toEqual(["Paris\u00a0: complet", ""]);
  });
});

describe("departures", () => {
  it("are listed, next first, as many as asked for", async () => {
    vi.setSystemTime(new Date("2026-06-01T10:00:00.000Z"));
    const one = { capacity: 20, held: 0, version: 1 };
    tours["paris"] = paris({
      departures: [
        { ...one, id: "b", startsAt: "2026-07-15T08:30:00.000Z", availableSeats: 3 },
        { ...one, id: "a", startsAt: "2026-07-14T08:30:00.000Z", availableSeats: 9 },
        { ...one, id: "c", startsAt: "2026-07-16T08:30:00.000Z", availableSeats: 6 },
      ],
    });
    const tag = await live('<tour-availability tour="paris" departures="2" API></tour-availability>');
    const rows = [...(tag.shadowRoot?.querySelectorAll('[part="departure"]') ?? [])].map((row) => row.textContent);
    expect(rows).toEqual([expect.stringMatching(/14 juil.*9\s+places/), expect.stringMatching(/15 juil.*3\s+places/)]);
    tag.setAttribute("departure", "b");
    await pass(50);
    expect([text(tag, "figure"), part(tag, "departures").parentElement?.hidden]).toEqual(["3", true]);
    expect(text(tag, "when")).toMatch(/15 juil/);
  });
});
