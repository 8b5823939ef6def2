/** The page as somebody sees it who is signed in, with a false service behind it: for the tests of the chat. */
import { MantineProvider } from "@mantine/core";
import type { Client } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { configure, render, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { type FakeServer, fakeClient, welcome } from "../../packages/client/src/testing/fakes";
import type { Api } from "../api";
import { App } from "../App";
import { ApiContext } from "../bookings";
import { Sessions, SessionsContext } from "../session";

// The first of a file waits for pages that are loaded when they are shown.
configure({ asyncUtilTimeout: 5_000 });

const base64url = (text: string): string => Buffer.from(text).toString("base64url");

export const said = (n: number, from: string, conversationId = "ann") => ({
  type: "CHAT_MESSAGE",
  from,
  to: from === conversationId ? "support" : conversationId,
  message: `text ${n}`,
  timestamp: `2026-06-01T10:00:${String(n).padStart(2, "0")}.000Z`,
  messageId: `m${n}`,
  conversationId,
});

export const stands = (version: number, more: object = {}, conversationId = "ann") => ({
  type: "CONVERSATION_UPDATE",
  conversationId,
  version,
  unread: { traveller: 0, support: 0 },
  delivered: {},
  read: {},
  timestamp: "",
  ...more,
});

export interface World {
  readonly server: FakeServer;
  /** What was sent, of one type. */
  readonly sent: (type: string) => readonly Record<string, unknown>[];
}

/** Open a page as somebody, or as nobody; `bodies` are what the service answers, by the path. */
export async function openAs(
  userId: string | null,
  roles: readonly string[],
  path: string,
  bodies: Readonly<Record<string, unknown>>,
): Promise<World> {
  // What jsdom has not.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  Object.assign(HTMLDialogElement.prototype, {
    show(this: HTMLDialogElement) {
      this.open = true;
    },
    close(this: HTMLDialogElement) {
      this.open = false;
    },
  });
  const { client, server, answer } = fakeClient();
  answer.mockImplementation(async (asked) => ({ body: bodies[asked] ?? {}, headers: new Headers() }));
  const sessions = new Sessions(null);
  if (userId !== null) sessions.signIn(`e30.${base64url(JSON.stringify({ userId, roles }))}.c2ln`);
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
  await waitFor(() => {
    if (server.sockets.length !== 1) throw new Error("not connected");
  });
  server.last.says(welcome(userId === null ? {} : { userId }));
  const sent: World["sent"] = (type) =>
    (server.last.sent as readonly unknown[] as readonly Record<string, unknown>[]).filter((frame) => frame["type"] === type);
  return { server, sent };
}
