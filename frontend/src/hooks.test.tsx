// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LiveContext, useConnectionStatus, useListState, useTour, useTours } from "./hooks";
import { LINGER_MS } from "./live/client";
import { fakeLive, snapshot, update, welcome } from "./testing/fakes";

const rendered = vi.fn();

function Seats({ id }: { readonly id: string }): ReactNode {
  const tour = useTour(id);
  rendered(id);
  return <p>{tour === null ? `${id} unknown` : `${id} ${tour.availableSeats}`}</p>;
}

function Page(): ReactNode {
  const ids = useTours();
  return (
    <>
      <h1>
        {useConnectionStatus().kind}, {useListState()}
      </h1>
      {ids.map((id) => (
        <Seats key={id} id={id} />
      ))}
    </>
  );
}

const pass = (ms = 0): Promise<unknown> => act(() => vi.advanceTimersByTimeAsync(ms));

beforeEach(() => {
  vi.useFakeTimers();
  rendered.mockReset();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("under StrictMode a page makes one connection, shows what comes, and leaves no timer when it goes", async () => {
  const { live, server, read } = fakeLive();
  const { unmount } = render(
    <StrictMode>
      <LiveContext value={live}>
        <Page />
      </LiveContext>
    </StrictMode>,
  );
  await pass(LINGER_MS * 2);
  expect(server.sockets).toHaveLength(1);
  expect(read).toHaveBeenCalledOnce();
  act(() => {
    server.last.says(welcome());
    server.last.says(update("a", 1, 12));
  });
  await pass(16);
  expect(screen.getByText("a 12")).toBeDefined();
  expect(screen.getByText("connected, complete")).toBeDefined();
  unmount();
  await vi.advanceTimersByTimeAsync(LINGER_MS);
  expect(server.last.closedWith).toBe(1000);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.sockets).toHaveLength(1);
});

it("500 updates in one tick are one render of that tour's reader, on the newest value, and none of another's", async () => {
  const { live, server } = fakeLive();
  render(
    <LiveContext value={live}>
      <Page />
    </LiveContext>,
  );
  await pass();
  server.last.says(welcome());
  server.last.says(update("a", 0, 500));
  server.last.says(update("b", 0, 7));
  await pass(1_000);
  rendered.mockReset();
  for (let version = 1; version <= 500; version += 1) server.last.says(update("a", version, 500 - version));
  await pass(16);
  expect(rendered.mock.calls).toEqual([["a"]]);
  expect(screen.getByText("a 0")).toBeDefined();
});

it("a tour that closes leaves the page", async () => {
  const { live, server, read } = fakeLive();
  read.mockResolvedValue(snapshot([{ id: "a", name: "A", available_seats: 4, version: 1 }]));
  render(
    <LiveContext value={live}>
      <Page />
    </LiveContext>,
  );
  await pass(16);
  expect(screen.getByText("a 4")).toBeDefined();
  server.last.says(welcome());
  server.last.says({ type: "TOUR_CLOSED", tourId: "a", version: 2, timestamp: "2026-06-01T10:00:00.000Z" });
  await pass(16);
  expect(screen.queryByText(/^a /)).toBeNull();
});

it("on a server every hook has something to say, and nothing connects", () => {
  const { live, server } = fakeLive();
  const html = renderToString(
    <LiveContext value={live}>
      <Page />
    </LiveContext>,
  );
  expect(html).toContain("idle");
  expect(html).toContain("loading");
  expect(server.sockets).toHaveLength(0);
});

it("a hook outside of a LiveContext says so", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(() => render(<Page />)).toThrow("no LiveContext around this component");
});
