// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import type { Client } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FakeServer, fakeClient, welcome } from "../../packages/client/src/testing/fakes";
import { Sessions, SessionsContext } from "../session";
import { Announcer } from "./Announcer";
import { Bell } from "./Bell";

const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const token = (userId: string): string => `${base64url("{}")}.${base64url(JSON.stringify({ userId }))}.c2ln`;

const told = (type: string, n: number) => ({
  type,
  bookingId: `bkg_${n}`,
  tourName: `Tour ${n}`,
  message: "",
  timestamp: `2026-06-01T10:00:0${n}.000Z`,
  seats: 2,
  messageId: `msg_${n}`,
});

const sessions = new Sessions(null);

/** The bell of a tab of ann's, which is told of one booking as it opens. */
async function open(): Promise<FakeServer> {
  const { client, server, answer } = fakeClient();
  const messages = [{ seq: 1, frame: told("BOOKING_CONFIRMED", 1) }];
  answer.mockResolvedValue({ body: { messages }, headers: new Headers() });
  render(
    <MantineProvider>
      <SeatcastProvider client={client as unknown as Client}>
        <SessionsContext value={sessions}>
          <Announcer>
            <Bell />
          </Announcer>
        </SessionsContext>
      </SeatcastProvider>
    </MantineProvider>,
  );
  await waitFor(() => expect(server.sockets.length).toBeGreaterThan(0));
  server.last.says(welcome({ userId: "ann" }));
  await bell("Notifications\u00a0: 1\u00a0non lue");
  return server;
}

const bell = (name: string): Promise<HTMLElement> => screen.findByRole("button", { name });

beforeEach(() => {
  // What jsdom has not, and Mantine asks for.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  localStorage.clear();
  sessions.signIn(token("ann"));
});
afterEach(cleanup);

it("counts in words what is not read, lists it with its time, the newest first, and has it read when it closes", async () => {
  const server = await open();
  server.last.says(told("BOOKING_CANCELLED", 2));
  await userEvent.click(await bell("Notifications\u00a0: 2\u00a0non lues"));
  const panel = screen.getByRole("dialog", { name: "Notifications" });
  const items = await within(panel).findAllByRole("listitem");
  expect(items.map((item) => item.textContent)).toEqual([
    expect.stringMatching(/^Réservation annulée Nouveau.*Tour 2, 2\u00a0places.*juin/),
    expect.stringMatching(/^Réservation confirmée Nouveau.*Tour 1, 2\u00a0places/),
  ]);
  await userEvent.keyboard("{Escape}");
  await userEvent.click(await bell("Notifications"));
  expect(screen.getByRole("dialog").textContent).not.toContain("Nouveau");
});

it("has all of it read at a click, and each put away, which leaves an empty list that says so", async () => {
  await open();
  await userEvent.click(await bell("Notifications\u00a0: 1\u00a0non lue"));
  await userEvent.click(await screen.findByRole("button", { name: "Tout marquer comme lu" }));
  await bell("Notifications");
  await userEvent.click(screen.getByRole("button", { name: "Retirer\u00a0: Réservation confirmée, Tour 1" }));
  await screen.findByText("Aucune notification.");
  expect(screen.getByRole("dialog").contains(document.activeElement)).toBe(true);
});

it("what was put away is gone after a reload, and in another tab at once", async () => {
  await open();
  cleanup();
  await open();
  localStorage.setItem("seatcast.notifications.ann", JSON.stringify({ msg_1: "gone" }));
  window.dispatchEvent(new Event("storage"));
  await bell("Notifications");
});

it("is nothing for nobody, and for somebody else only what they were told", async () => {
  await open();
  sessions.signIn(token("bob"));
  await bell("Notifications");
  sessions.signOut();
  await waitFor(() => expect(screen.queryByRole("button")).toBeNull());
});

it("what comes is shown for a moment and said once, politely; not over the list, which shows it", async () => {
  const server = await open();
  server.last.says(told("HOLD_EXPIRED", 3));
  const close = await screen.findByRole("button", { name: "Fermer\u00a0: Places plus retenues" });
  await waitFor(() => expect(screen.getByRole("status").textContent).toBe("Places plus retenues\u00a0: Tour 3"), {
    timeout: 3_000,
  });
  await userEvent.click(close);
  await waitFor(() => expect(screen.queryByRole("button", { name: /^Fermer/ })).toBeNull());
  await userEvent.click(await bell("Notifications\u00a0: 2\u00a0non lues"));
  server.last.says(told("BOOKING_CONFIRMED", 4));
  await screen.findByText(/Tour 4/);
  expect(screen.queryByRole("button", { name: /^Fermer/ })).toBeNull();
});
