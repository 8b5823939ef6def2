// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { type ReactNode, StrictMode, useEffect, useState } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LINGER_MS } from "./client.js";
import {
  SeatcastProvider,
  useConnectionStatus,
  useDepartureAvailability,
  useListState,
  useMessages,
  useMetrics,
  useTourAvailability,
  useTours,
  useWebSocket,
} from "./react.js";
import { fakeClient, show, snapshot, update, welcome } from "./testing/fakes.js";

const rendered = vi.fn();

function Seats({ id }: { readonly id: string }): ReactNode {
  const tour = useTourAvailability(id);
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
  const { client, server, read } = fakeClient();
  const { unmount } = render(
    <StrictMode>
      <SeatcastProvider client={client}>
        <Page />
      </SeatcastProvider>
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
  await vi.advanceTimersByTimeAsync(16);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.sockets).toHaveLength(1);
});

it("500 updates in one tick are one render of that tour's reader, on the newest value, and none of another's", async () => {
  const { client, server } = fakeClient();
  render(
    <SeatcastProvider client={client}>
      <Page />
    </SeatcastProvider>,
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
  const { client, server, read } = fakeClient();
  read.mockResolvedValue(snapshot([{ id: "a", name: "A", available_seats: 4, version: 1 }]));
  render(
    <SeatcastProvider client={client}>
      <Page />
    </SeatcastProvider>,
  );
  await pass(16);
  expect(screen.getByText("a 4")).toBeDefined();
  server.last.says(welcome());
  server.last.says({ type: "TOUR_CLOSED", tourId: "a", version: 2, timestamp: "2026-06-01T10:00:00.000Z" });
  await pass(16);
  expect(screen.queryByText(/^a /)).toBeNull();
});

it("on a server every hook has something to say, and nothing connects", () => {
  const { client, server } = fakeClient();
  const html = renderToString(
    <SeatcastProvider client={client}>
      <Page />
    </SeatcastProvider>,
  );
  expect(html).toContain("idle");
  expect(html).toContain("loading");
  expect(server.sockets).toHaveLength(0);
});

it("a hook outside of a SeatcastProvider says so", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(() => render(<Page />)).toThrow("no SeatcastProvider around this component");
});

it("500 updates over 50 tours in one tick leave each card on its newest seats, with one render each", async () => {
  const { client, server } = fakeClient();
  render(
    <SeatcastProvider client={client}>
      <Page />
    </SeatcastProvider>,
  );
  await pass();
  server.last.says(welcome());
  for (let tour = 0; tour < 50; tour += 1) server.last.says(update(`t${tour}`, 0, 100));
  await pass(1_000);
  rendered.mockReset();
  for (let at = 0; at < 500; at += 1) {
    const version = 1 + Math.floor(at / 50);
    server.last.says(update(`t${at % 50}`, version, 100 - version));
  }
  await pass(16);
  expect(rendered).toHaveBeenCalledTimes(50);
  expect(screen.getByText("t0 90")).toBeDefined();
  expect(screen.getByText("t49 90")).toBeDefined();
});

it("a hidden tab renders nothing, and is right on the first frame after it is shown", async () => {
  const { client, server, page } = fakeClient();
  render(
    <SeatcastProvider client={client}>
      <Page />
    </SeatcastProvider>,
  );
  await pass();
  server.last.says(welcome());
  server.last.says(update("a", 0, 500));
  await pass(1_000);
  page.isVisible = false;
  rendered.mockReset();
  const timers = vi.getTimerCount();
  for (let version = 1; version <= 100; version += 1) {
    server.last.says(update("a", version, 500 - version));
    await pass(100);
  }
  expect(rendered).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(timers);
  act(() => show(page));
  expect(rendered.mock.calls).toEqual([["a"]]);
  expect(screen.getByText("a 400")).toBeDefined();
});

it("a departure renders for itself alone", async () => {
  const { client, server } = fakeClient();
  function One({ id }: { readonly id: string }): ReactNode {
    rendered(id);
    return <p>{`${id} ${useDepartureAvailability("a", id)?.availableSeats ?? "?"}`}</p>;
  }
  render(
    <SeatcastProvider client={client}>
      <One id="d1" />
      <One id="d2" />
    </SeatcastProvider>,
  );
  const at = (id: string, version: number, availableSeats: number) =>
    update("a", version, 50, {
      departure: { id, startsAt: `2026-07-0${id.at(-1)}T08:00:00.000Z`, availableSeats, capacity: 20, held: 0, version },
    });
  await pass();
  server.last.says(welcome());
  server.last.says(at("d1", 1, 9));
  server.last.says(at("d2", 1, 8));
  await pass(16);
  rendered.mockReset();
  server.last.says(at("d2", 2, 7));
  await pass(16);
  expect(rendered.mock.calls).toEqual([["d2"]]);
  expect(screen.getByText("d1 9")).toBeDefined();
  expect(screen.getByText("d2 7")).toBeDefined();
});

it("every message reaches its handlers once, however many come in one tick, and the newest handler is called", async () => {
  const { client, server } = fakeClient();
  const heard: string[] = [];
  function Listener({ mark }: { readonly mark: string }): ReactNode {
    useMessages("BOOKING_CONFIRMED", ({ bookingId }) => heard.push(`${mark}${bookingId}`));
    return null;
  }
  const tree = (mark: string): ReactNode => (
    <StrictMode>
      <SeatcastProvider client={client}>
        <Listener mark={mark} />
      </SeatcastProvider>
    </StrictMode>
  );
  const { rerender, unmount } = render(tree("a"));
  await pass();
  server.last.says(welcome());
  const booked = (n: number) => ({ type: "BOOKING_CONFIRMED", bookingId: `${n}`, messageId: `m${n}` });
  for (let n = 0; n < 500; n += 1) {
    server.last.says(booked(n));
    if (n % 7 === 0) server.last.says(booked(n));
  }
  expect(heard).toEqual(Array.from({ length: 500 }, (_, n) => `a${n}`));
  rerender(tree("b"));
  server.last.says(booked(500));
  expect(heard.at(-1)).toBe("b500");
  unmount();
  server.last.says(booked(501));
  expect(heard).toHaveLength(501);
});

it("live figures are followed while somebody looks at them", async () => {
  const { client, server } = fakeClient();
  function Figures(): ReactNode {
    return <p>{useMetrics()?.activeBookings ?? "none"} booked</p>;
  }
  const { unmount } = render(
    <SeatcastProvider client={client}>
      <Figures />
    </SeatcastProvider>,
  );
  await pass();
  server.last.says(welcome());
  expect(server.last.sent).toEqual([{ type: "SUBSCRIBE", channel: "metrics" }]);
  expect(screen.getByText("none booked")).toBeDefined();
  for (let n = 1; n <= 50; n += 1) server.last.says({ type: "METRICS_UPDATE", activeBookings: n });
  await pass(16);
  expect(screen.getByText("50 booked")).toBeDefined();
  unmount();
  expect(server.last.sent.at(-1)).toEqual({ type: "UNSUBSCRIBE", channel: "metrics" });
});

it("useWebSocket: under StrictMode all who name an address share one socket, and leave nothing behind", async () => {
  class Socket extends EventTarget {
    static readonly made: Socket[] = [];
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: string }) => void) | null = null;
    onclose: ((event: { code: number }) => void) | null = null;
    readonly close = vi.fn();
    readonly url: string;
    constructor(url: string) {
      super();
      this.url = url;
      Socket.made.push(this);
    }
  }
  vi.stubGlobal("WebSocket", Socket);
  function Lesson({ tourId }: { readonly tourId: string }): ReactNode {
    const { data, connected } = useWebSocket("ws://lesson/");
    const [seats, setSeats] = useState<unknown>(null);
    useEffect(() => {
      // eslint-disable-next-line react-hooks/set-state-in-effect -- as the lesson does it
      if (data?.["tourId"] === tourId) setSeats(data["availableSeats"]);
    }, [data, tourId]);
    return <p>{`${tourId} ${connected ? "connected" : "disconnected"} ${String(seats)}`}</p>;
  }
  const tree = (
    <StrictMode>
      <Lesson tourId="a" />
      <Lesson tourId="b" />
    </StrictMode>
  );
  expect(renderToString(tree)).toContain("disconnected");
  expect(Socket.made).toHaveLength(0);
  const { unmount } = render(tree);
  await pass(2_000);
  expect(Socket.made.map(({ url }) => url)).toEqual(["ws://lesson/"]);
  const [socket] = Socket.made;
  act(() => socket?.onopen?.());
  for (let left = 250; left > 0; left -= 1) {
    for (const tourId of ["a", "b"]) {
      socket?.onmessage?.({ data: JSON.stringify({ type: "AVAILABILITY_UPDATE", tourId, availableSeats: left }) });
    }
  }
  await pass(100);
  expect(screen.getByText("a connected 1")).toBeDefined();
  expect(screen.getByText("b connected 1")).toBeDefined();
  unmount();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(socket?.close).toHaveBeenCalledWith(1000);
  expect(vi.getTimerCount()).toBe(0);
});
