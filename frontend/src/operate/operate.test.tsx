// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import type { Client, Tour } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
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
import type { Insist } from "./operator";

const insist = vi.fn<Insist>();
const louvre: Tour = { ...(rest["Tour undated"] as Tour), closedSeats: { capacity: 0, availableSeats: 0, held: 0 } };
const paris: Tour = {
  ...(rest["Tour with what is closed"] as Tour),
  departures: (rest["Tour with what is closed"] as Tour).departures?.map((one) => ({
    ...one,
    startsAt: one.startsAt.replace("2026", "2099"),
  })) as NonNullable<Tour["departures"]>,
};

/** What the service has, by id; PATCH and POST are answered by `does`. */
let tours: Record<string, Tour>;
const does = vi.fn<(method: string, path: string, body: Readonly<Record<string, unknown>>) => void>();

function sessionOf(...roles: string[]): Sessions {
  const sessions = new Sessions(null);
  sessions.signIn(`x.${btoa(JSON.stringify({ userId: "denis", roles }))}.x`);
  return sessions;
}

async function open(path: string, sessions = sessionOf("staff")): Promise<FakeServer> {
  const { client, server, read } = fakeClient();
  read.mockResolvedValue(snapshot(Object.values(tours)));
  render(
    <StrictMode>
      <MantineProvider>
        <ApiContext value={{ insist } as unknown as Api}>
          <SeatcastProvider client={client as unknown as Client}>
            <SessionsContext value={sessions}>
              <Router hook={memoryLocation({ path }).hook}>
                <App language="en" storage={null} onLanguage={() => undefined} />
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

const field = (name: string, inside: HTMLElement = document.body): HTMLInputElement =>
  within(inside).getByLabelText<HTMLInputElement>(name);
const press = async (name: string | RegExp, inside: HTMLElement = document.body): Promise<void> =>
  userEvent.click(within(inside).getByRole("button", { name }));
async function type(input: HTMLElement, text: string): Promise<void> {
  await userEvent.clear(input);
  await userEvent.type(input, text);
}
const details = (): Promise<HTMLElement> => screen.findByRole("region", { name: "Tour" }, { timeout: 5_000 });
/** The sentence that belongs to a field. */
const said = (input: HTMLElement): string =>
  (input.getAttribute("aria-describedby") ?? "")
    .split(" ")
    .map((id) => document.getElementById(id)?.textContent ?? "")
    .join(" ");

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  // What jsdom has not: a dialog that is shown is open.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  Element.prototype.scrollIntoView = () => undefined;
  vi.stubGlobal("ResizeObserver", class { observe(): void {} unobserve(): void {} disconnect(): void {} });
  tours = { tour_louvre: louvre, tour_paris: paris };
  does.mockReset();
  insist.mockReset().mockImplementation(async (path, init) => {
    if (init !== undefined) return does(init.method ?? "GET", path, JSON.parse(init.body as string));
    if (path === "/api/tours?closed=true") return Object.values(tours);
    const found = tours[/^\/api\/tours\/(.+)\?closed=true$/.exec(path)?.[1] ?? ""];
    if (found === undefined) throw new Refused({ error: "Tour not found", code: "TOUR_NOT_FOUND" });
    return found;
  });
});

afterEach(cleanup);

describe("the operators' pages", () => {
  it("are for staff", async () => {
    await open("/operate", sessionOf("admin"));
    expect(screen.getByRole("alert").textContent).toContain("staff");
    expect(insist).not.toHaveBeenCalled();
  });

  it("list every tour, closed ones too, with seats that move", async () => {
    tours["tour_rome"] = { ...louvre, id: "tour_rome", name: "Rome", closed: true, available_seats: 0, capacity: 0 };
    const server = await open("/operate");
    const row = await screen.findByRole("article", { name: "Louvre Night Tour" }, { timeout: 5_000 });
    expect(row.textContent).toContain("Sold5Held0Left15Seats in all20");
    expect(screen.getByRole("article", { name: "Rome" }).textContent).toContain("Off sale");
    server.last.says(update("tour_louvre", 7, 3, { tourName: "Louvre Night Tour", capacity: 20, held: 2 }));
    await waitFor(() => expect(row.textContent).toContain("Sold15Held2Left3"));
    await type(screen.getByRole("searchbox"), "ROM");
    expect(screen.getAllByRole("article")).toHaveLength(1);
  });

  it("say that a tour is not there", async () => {
    await open("/operate/tours/tour_oslo");
    expect((await screen.findByRole("alert", {}, { timeout: 5_000 })).textContent).toContain("There is no such tour.");
  });

  it("say that the tours cannot be read, and show them once they can", async () => {
    insist.mockRejectedValueOnce(new Unanswered()).mockRejectedValueOnce(new Unanswered());
    await open("/operate");
    await screen.findByText("The tours could not be read.", {}, { timeout: 5_000 });
    await press("Try again");
    await screen.findByRole("article", { name: "Louvre Night Tour" });
  });
});

describe("changing a tour", () => {
  it("sends what was changed and what it was, and nothing else", async () => {
    await open("/operate/tours/tour_louvre");
    const card = await details();
    await type(field("Price per person, in EUR", card), "41,25");
    does.mockImplementation(() => {
      tours["tour_louvre"] = { ...louvre, price: 41.25, version: 7 };
    });
    await press("Save", card);
    await within(card).findByText("Saved");
    expect(does.mock.calls).toEqual([["PATCH", "/api/tours/tour_louvre", { price: 41.25, expected: { price: 39.5 } }]]);
    expect(field("Price per person, in EUR", card).value).toBe("41.25");
  });

  it("refuses at the field what cannot be, takes the keyboard there, and sends nothing", async () => {
    await open("/operate/tours/tour_louvre");
    const card = await details();
    await type(field("Price per person, in EUR", card), "a lot");
    await type(field("Seats in all", card), "4");
    await press("Save", card);
    expect(document.activeElement).toBe(field("Price per person, in EUR", card));
    expect(said(field("Price per person, in EUR", card))).toContain("Write the price in figures");
    expect(said(field("Seats in all", card))).toContain("At least 5");
    expect(does).not.toHaveBeenCalled();
  });

  it("shows what others change at once, and asks where it is what is being written", async () => {
    const server = await open("/operate/tours/tour_louvre");
    const card = await details();
    await type(field("Seats in all", card), "30");
    tours["tour_louvre"] = { ...louvre, name: "Louvre", capacity: 25, available_seats: 20, version: 7 };
    server.last.says(update("tour_louvre", 7, 20, { tourName: "Louvre", capacity: 25 }));
    await waitFor(() => expect(field("Name", card).value).toBe("Louvre"));
    expect(field("Seats in all", card).value).toBe("30");
    await press("Save", card);
    expect(said(field("Seats in all", card))).toContain("Changed meanwhile");
    expect(document.activeElement).toBe(field("Seats in all", card));
    expect(does).not.toHaveBeenCalled();

    await press("Keep mine", card);
    await press("Save", card);
    expect(does.mock.calls[0]?.[2]).toEqual({ capacity: 30, expected: { capacity: 25 } });
  });

  it("asks also where the service was faster to know", async () => {
    await open("/operate/tours/tour_louvre");
    const card = await details();
    await type(field("Name", card), "Mine");
    does.mockImplementation(() => {
      tours["tour_louvre"] = { ...louvre, name: "Theirs", version: 7, timestamp: "2026-06-01T10:00:00.000Z" };
      throw new Refused({ error: "Somebody else", code: "CHANGED_MEANWHILE", details: { name: "Theirs" } });
    });
    await press("Save", card);
    await press("Take “Theirs”", await within(card).findByRole("group", { name: "Name: two possible values" }));
    expect(field("Name", card).value).toBe("Theirs");
    expect(within(card).queryByText("Somebody else.")).toBeNull();
  });

  it("that was not answered may be tried again", async () => {
    await open("/operate/tours/tour_louvre");
    const card = await details();
    await type(field("Name", card), "Mine");
    does.mockImplementationOnce(() => {
      throw new Unanswered();
    });
    await press("Save", card);
    await within(card).findByText("No answer");
    await press("Save", card);
    await waitFor(() => expect(does).toHaveBeenCalledTimes(2));
    expect(does.mock.calls[0]).toEqual(does.mock.calls[1]);
  });
});

describe("a dated tour", () => {
  const row = (name: RegExp): Promise<HTMLElement> => screen.findByRole("article", { name }, { timeout: 5_000 });

  it("shows its departures in its own time zone, the closed ones among them", async () => {
    await open("/operate/tours/tour_paris");
    expect((await row(/14 July/)).textContent).toContain("10:30");
    expect((await row(/15 July/)).textContent).toContain("Off sale");
    expect(screen.queryByLabelText("Seats in all, in EUR")).toBeNull();
  });

  it("closes a departure after saying what that does", async () => {
    await open("/operate/tours/tour_paris");
    await press("Close for sale", await row(/14 July/));
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("13\u00a0free seats");
    expect(dialog.textContent).toContain("5\u00a0seats sold");
    await press("Cancel", dialog);
    expect(does).not.toHaveBeenCalled();
    await press("Close for sale", await row(/14 July/));
    await press("Close the departure", await screen.findByRole("dialog"));
    expect(does.mock.calls).toEqual([["PATCH", "/api/tours/tour_paris/departures/dep_1", { closed: true }]]);
  });

  it("gets another departure, which is the same one when it is sent again", async () => {
    await open("/operate/tours/tour_paris");
    const form = (await screen.findByRole("region", { name: "Add a departure" }, { timeout: 5_000 })) as HTMLElement;
    await press("Add", form);
    expect(document.activeElement).toBe(field("Date", form));
    expect(said(field("Date", form))).toContain("Choose the date.");
    await userEvent.type(field("Date", form), "2099-10-25");
    await userEvent.type(field("Time", form), "02:30");
    await userEvent.type(field("Seats in all", form), "12");
    await press("Add", form);
    expect(said(field("Time", form))).toContain("twice");
    await userEvent.click(within(form).getByRole("radio", { name: /second/ }));
    does.mockImplementationOnce(() => {
      throw new Unanswered();
    });
    await press("Add", form);
    await within(form).findByText("No answer");
    await press("Add", form);
    await waitFor(() => expect(does).toHaveBeenCalledTimes(2));
    expect(does.mock.calls[0]).toEqual(does.mock.calls[1]);
    expect(does.mock.calls[0]?.[2]).toEqual({
      id: expect.stringMatching(/^dep_[0-9a-f]{32}$/),
      startsAt: "2099-10-25T01:30:00.000Z",
      capacity: 12,
    });
    // The next one is another one.
    await waitFor(() => expect(field("Date", form).value).toBe(""));
  });

  it("moves a departure, and says who is not told of it", async () => {
    await open("/operate/tours/tour_paris");
    const departure = await row(/14 July/);
    await press("Change", departure);
    const time = field("Time", departure);
    await userEvent.clear(time);
    await userEvent.type(time, "11:00");
    expect(departure.textContent).toContain("5\u00a0seats are already sold");
    await press("Save", departure);
    expect(does.mock.calls[0]?.[2]).toEqual({
      startsAt: "2099-07-14T09:00:00.000Z",
      expected: { startsAt: "2099-07-14T08:30:00.000Z" },
    });
  });

  it("refuses a capacity below what is sold, at the field and with the number, also when only the service knows", async () => {
    await open("/operate/tours/tour_paris");
    const departure = await row(/14 July/);
    await press("Change", departure);
    await type(field("Seats in all", departure), "8");
    does.mockImplementation(() => {
      throw new Refused({ error: "No", code: "CAPACITY_BELOW_SOLD", details: { sold: 9, held: 0 } });
    });
    await press("Save", departure);
    await waitFor(() => expect(said(field("Seats in all", departure))).toContain("At least 9"));
    expect(document.activeElement).toBe(field("Seats in all", departure));
  });
});

describe("a new tour", { timeout: 20_000 }, () => {
  it("has an id proposed from its name until one is written, and goes to its page when it is made", async () => {
    await open("/operate/new");
    const name = await screen.findByLabelText("Name", {}, { timeout: 5_000 });
    await userEvent.type(name, "Louvre");
    await waitFor(() => expect(field("Identifier").value).toBe("tour_louvre_2"));
    await userEvent.type(field("Price per person"), "10");
    await userEvent.click(screen.getByRole("radio", { name: /Without dates/ }));
    await userEvent.type(field("Seats in all"), "8");
    does.mockImplementation(() => {
      tours["tour_louvre_2"] = { ...louvre, id: "tour_louvre_2", name: "Louvre" };
    });
    await press("Create the tour");
    await screen.findByRole("heading", { level: 1, name: "Louvre" }, { timeout: 5_000 });
    expect(does.mock.calls[0]?.slice(0, 2)).toEqual(["POST", "/api/tours"]);
    expect(does.mock.calls[0]?.[2]).toMatchObject({ id: "tour_louvre_2", price: 10, currency: "EUR", capacity: 8 });
  });

  it("finds its time zone by a part of the name, and its currency", async () => {
    await open("/operate/new");
    const zone = await screen.findByRole("combobox", { name: "Time zone" }, { timeout: 5_000 });
    await type(zone, "new york");
    await userEvent.keyboard("{ArrowDown}{Enter}");
    expect((zone as HTMLInputElement).value).toBe("America/New York");
  });

  it("whose id somebody else has says so at the field", async () => {
    await open("/operate/new");
    await userEvent.type(await screen.findByLabelText("Name", {}, { timeout: 5_000 }), "Oslo");
    await userEvent.type(field("Price per person"), "0");
    await press("Remove departure 1");
    tours["tour_oslo"] = { ...louvre, id: "tour_oslo" };
    does.mockImplementation(() => {
      throw new Refused({ error: "No", code: "TOUR_EXISTS", details: { id: "tour_oslo" } });
    });
    await press("Create the tour");
    await waitFor(() => expect(said(field("Identifier"))).toContain("already has this identifier"));
    expect(document.activeElement).toBe(field("Identifier"));
  });
});
