// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { type Client, HttpError, type Request } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { fakeClient } from "../../packages/client/src/testing/fakes";
import type { Api } from "../api";
import { App } from "../App";
import { ApiContext } from "../bookings";
import { Sessions, SessionsContext } from "../session";

const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const token = (userId: string, roles: readonly string[]): string =>
  `${base64url("{}")}.${base64url(JSON.stringify({ userId, roles }))}.c2ln`;

const demoUsers = [
  { userId: "alice", roles: [] },
  { userId: "emma", roles: ["admin", "staff"] },
];
const signedIn = vi.fn<(body: unknown) => void>();
let sessions: Sessions;

/** A service with a demo; `refuse` makes it say no to whoever signs in. */
function demo(refuse = false): Request {
  return async (path, init) => {
    const headers = new Headers();
    if (path === "/api/config") return { body: { demo: true, demoUsers }, headers };
    if (path !== "/api/demo/sessions") return { body: {}, headers };
    if (refuse) throw new HttpError(400, { error: "Ce nom ne va pas.", code: "INVALID_REQUEST" });
    const asked = JSON.parse(String(init?.body)) as { userId: string; roles: string[] };
    signedIn(asked);
    return { body: { token: token(asked.userId, asked.roles), expiresAt: "" }, headers };
  };
}

function open(request: Request | null, path = "/"): void {
  const { client, answer } = fakeClient();
  if (request !== null) answer.mockImplementation(request);
  render(
    <StrictMode>
      <MantineProvider>
        <ApiContext value={{} as Api}>
          <SeatcastProvider client={client as unknown as Client}>
            <SessionsContext value={sessions}>
              <Router hook={memoryLocation({ path }).hook}>
                <App language="fr" storage={null} onLanguage={() => undefined} />
              </Router>
            </SessionsContext>
          </SeatcastProvider>
        </ApiContext>
      </MantineProvider>
    </StrictMode>,
  );
}

const button = (name: RegExp | string): Promise<HTMLElement> => screen.findByRole("button", { name });

beforeEach(() => {
  // What jsdom has not, and Mantine asks for.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  sessions = new Sessions(null);
  signedIn.mockReset();
});
afterEach(cleanup);

it("offers the demo's people, says what their roles may do, and signs in as the one that is chosen", async () => {
  open(demo());
  await userEvent.click(await button("Se connecter"));
  const emma = await button(/^emma Administration, Gestion Suivre/);
  expect(emma.textContent).toContain("Suivre les chiffres en direct");
  await userEvent.click(emma);
  await waitFor(() => expect(sessions.now()).toMatchObject({ userId: "emma", roles: ["admin", "staff"] }));
  expect(document.activeElement).toBe(await button("Compte\u00a0: emma"));
  expect(screen.queryByRole("dialog")).toBeNull();
});

it("lets one be another name, with the roles that are chosen", async () => {
  open(demo());
  await userEvent.click(await button("Se connecter"));
  await userEvent.click(await screen.findByText("Un autre nom"));
  await userEvent.type(screen.getByRole("textbox", { name: "Nom" }), " Zoé ");
  await userEvent.click(screen.getByRole("checkbox", { name: "Assistance" }));
  await userEvent.click(await button("Se connecter sous ce nom"));
  await waitFor(() => expect(signedIn).toHaveBeenCalledWith({ userId: "Zoé", roles: ["support"] }));
});

it("says why somebody was not let in", async () => {
  open(demo(true));
  await userEvent.click(await button("Se connecter"));
  await userEvent.click(await button(/^alice/));
  await screen.findByText("Ce nom ne va pas.");
  expect(sessions.now()).toBeNull();
});

it("shows who is signed in and what they may do, offers the others, and the way out", async () => {
  sessions.signIn(token("alice", []));
  open(demo());
  await userEvent.click(await button("Compte\u00a0: alice"));
  const panel = screen.getByRole("dialog", { name: "Compte" });
  expect(panel.textContent).toContain("Voyageur");
  await within(panel).findByRole("button", { name: /^emma/ });
  expect(within(panel).queryByRole("button", { name: /^alice/ })).toBeNull();
  await userEvent.click(within(panel).getByRole("button", { name: "Se déconnecter" }));
  expect(sessions.now()).toBeNull();
  expect(document.activeElement).toBe(await button("Se connecter"));
});

it("without a demo there is nothing for nobody, and the way out for who came with a token", async () => {
  open(null);
  expect(screen.queryByRole("button", { name: "Se connecter" })).toBeNull();
  sessions.signIn(token("ann", ["staff"]));
  await userEvent.click(await button("Compte\u00a0: ann"));
  expect(screen.getByRole("dialog").textContent).toContain("Gestion");
  expect(screen.queryByText("Être quelqu’un d’autre")).toBeNull();
});

it("Escape and a click elsewhere close the panel; the first goes back to the button", async () => {
  open(demo());
  const account = await button("Se connecter");
  await userEvent.click(account);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(document.activeElement).toBe(account);
  await userEvent.click(account);
  expect(screen.getByRole("dialog")).toBeDefined();
  await userEvent.click(screen.getByRole("heading", { level: 1 }));
  expect(screen.queryByRole("dialog")).toBeNull();
});

it("a session that expired is said, with the way back in, until somebody signs in", async () => {
  sessions.signIn(token("emma", ["admin"]));
  open(demo());
  sessions.expire();
  await screen.findByText("La session de emma a expiré.");
  await userEvent.click(await button("Reconnecter emma"));
  await waitFor(() => expect(signedIn).toHaveBeenCalledWith({ userId: "emma", roles: ["admin"] }));
  await waitFor(() => expect(screen.queryByText("La session de emma a expiré.")).toBeNull());
});

it("a page of a role offers whoever has it, and opens to them", async () => {
  open(demo(), "/descriptions");
  await screen.findByRole("heading", { name: "Cette page demande un autre compte." });
  expect(screen.getByRole("alert").textContent).toContain("«\u00a0Gestion\u00a0»");
  const emma = await button(/^emma/);
  expect(screen.queryByRole("button", { name: /^alice/ })).toBeNull();
  await userEvent.click(emma);
  await waitFor(() => expect(screen.queryByText("Cette page demande un autre compte.")).toBeNull());
});

it("the links are those that the role opens; the one of this page says so, also from inside of it", async () => {
  open(null, "/descriptions/tour_paris");
  const links = (): string[] =>
    within(screen.getByRole("navigation")).getAllByRole("link").map(({ textContent }) => textContent);
  const before = links().length;
  sessions.signIn(token("denis", ["staff"]));
  await waitFor(() => expect(links().length).toBeGreaterThan(before));
  const current = within(screen.getByRole("navigation")).getByRole("link", { current: true });
  expect(current.getAttribute("href")).toBe("/descriptions");
});
