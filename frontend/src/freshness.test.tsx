// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import type { Client } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, it, vi } from "vitest";
import { GRACE_MS, Live, useLive } from "./freshness";
import { fakeClient, type World, welcome } from "../packages/client/src/testing/fakes";

function Seats(): ReactNode {
  return <p>{useLive() ? "live" : "old"}</p>;
}

const pass = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

/** A page that is connected. */
async function open(): Promise<World> {
  const world = fakeClient();
  render(
    <SeatcastProvider client={world.client as unknown as Client}>
      <Live>
        <Seats />
      </Live>
    </SeatcastProvider>,
  );
  await pass(50);
  world.server.last.says(welcome());
  await pass(50);
  return world;
}

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("seats are live while connected, and old at once when the gateway has lost its source", async () => {
  const { server } = await open();
  screen.getByText("live");
  server.last.says({ type: "STALE", since: "2026-06-01T10:00:00.000Z" });
  await pass(50);
  screen.getByText("old");
  server.last.says({ type: "FRESH" });
  await pass(50);
  screen.getByText("live");
});

it("a connection that is soon back was never away", async () => {
  const { server } = await open();
  server.last.ends(1006);
  await pass(GRACE_MS / 2);
  screen.getByText("live");
  server.last.says(welcome());
  await pass(GRACE_MS);
  screen.getByText("live");
});

it("seats are old when no connection succeeds for a while", async () => {
  const { server } = await open();
  server.last.ends(1006);
  await pass(GRACE_MS + 100);
  screen.getByText("old");
});

it("seats are old at once when there is no network", async () => {
  const { server, page } = await open();
  page.isOnline = false;
  server.last.ends(1006);
  await pass(100);
  screen.getByText("old");
});
