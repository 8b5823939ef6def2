/** The whole application in a test: a client whose server is the test, and a service that answers what it is told to. */
import { MantineProvider } from "@mantine/core";
import type { Client, Tour } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { expect, vi } from "vitest";
import rest from "../../../contract/rest.json";
import { type FakePage, type FakeServer, fakeClient, snapshot, welcome } from "../../packages/client/src/testing/fakes";
import type { Api } from "../api";
import { App } from "../App";
import { ApiContext } from "../bookings";
import { Sessions, SessionsContext } from "../session";

// A page is loaded when it is gone to, which takes a busy machine a while.
configure({ asyncUtilTimeout: 10_000 });
vi.setConfig({ testTimeout: 30_000 });

export const paris = rest["Tour dated"] as Tour;
export const louvre = rest["Tour undated"] as Tour;

/** Before the departures of `paris`. Time stands still in a test. */
export const TODAY = new Date("2026-06-01T10:00:00.000Z");

export const service = {
  book: vi.fn<Api["book"]>(),
  cancel: vi.fn<Api["cancel"]>(),
  booking: vi.fn<Api["booking"]>(),
  bookings: vi.fn<Api["bookings"]>(),
  tour: vi.fn<Api["tour"]>(),
};
export const onLanguage = vi.fn();

/** Before each test: no answer yet, nothing remembered, and what jsdom has not. */
export function prepare(): void {
  vi.setSystemTime(TODAY);
  // What jsdom has not, and Mantine asks for.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.stubGlobal("scrollTo", vi.fn());
  Element.prototype.scrollIntoView = vi.fn();
  sessionStorage.clear();
  for (const mock of [...Object.values(service), onLanguage]) mock.mockReset();
}

/** After each test. */
export function tidy(): void {
  cleanup();
  vi.useRealTimers();
}

/** A token that says who this is; nobody checks it here. */
export function tokenOf(userId: string, ...roles: string[]): string {
  const part = (value: unknown): string => btoa(JSON.stringify(value)).replaceAll("=", "");
  return `${part({ alg: "none" })}.${part({ userId, roles })}.x`;
}

export interface Opened {
  readonly server: FakeServer;
  readonly sessions: Sessions;
  /** The browser's window: shown or hidden, with a network or without. */
  readonly page: FakePage;
}

interface Options {
  readonly tours?: readonly Tour[];
  /** Who is signed in. */
  readonly userId?: string;
  /** What the tour pages read of a tour. */
  readonly description?: string;
}

/** Render the application at a path, connected, with the contract's two tours. */
export async function open(path: string, options: Options = {}): Promise<Opened> {
  const { tours = [paris, louvre], userId, description = "" } = options;
  const { client, server, page, read, answer } = fakeClient();
  read.mockResolvedValue(snapshot(tours));
  answer.mockResolvedValue({ body: { description, descriptionVersion: 1 }, headers: new Headers() });
  const sessions = new Sessions(null);
  if (userId !== undefined) sessions.signIn(tokenOf(userId));
  history.replaceState(null, "", path);
  render(
    <StrictMode>
      <MantineProvider>
        <ApiContext value={service as unknown as Api}>
          <SeatcastProvider client={client as unknown as Client}>
            <SessionsContext value={sessions}>
              <App language="fr" storage={sessionStorage} onLanguage={onLanguage} />
            </SessionsContext>
          </SeatcastProvider>
        </ApiContext>
      </MantineProvider>
    </StrictMode>,
  );
  await waitFor(() => expect(server.sockets).toHaveLength(1));
  server.last.says(welcome(userId === undefined ? {} : { userId }));
  await screen.findAllByText("En direct");
  return { server, sessions, page };
}
