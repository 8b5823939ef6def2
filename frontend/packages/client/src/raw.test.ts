import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Raw } from "./raw.js";
import { keepOpen } from "./rawlink.js";
import { clock, FakePage, FakeSocket } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const FRAME = 16;
let sockets: (FakeSocket & { onopen: (() => void) | null })[];
let page: FakePage;
let raw: Raw;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  page = new FakePage();
  raw = new Raw({
    clock,
    schedule: (draw) => void setTimeout(draw, FRAME),
    open: (heard, state) =>
      keepOpen(
        {
          clock,
          random: () => 0.5,
          page,
          open: () => {
            const socket = Object.assign(new FakeSocket("socket", null, new URLSearchParams()), { onopen: null });
            sockets.push(socket);
            return socket as unknown as WebSocket;
          },
        },
        heard,
        state,
      ),
  });
});
afterEach(() => vi.useRealTimers());

/** A reader that notes what it would render. */
function reader(): { shown: unknown[]; connected: () => boolean; renders: () => number; stop: () => void } {
  const shown: unknown[] = [];
  let renders = 0;
  const { inbox, stop } = raw.read(() => {
    renders += 1;
    if (inbox.state.data !== shown.at(-1)) shown.push(inbox.state.data);
  });
  return { shown, connected: () => inbox.state.connected, renders: () => renders, stop };
}
const opens = (): void => sockets.at(-1)?.onopen?.();
const says = (data: unknown): void => sockets.at(-1)?.says(data);
const seats = (tourId: string, availableSeats: number) => ({ type: "AVAILABILITY_UPDATE", tourId, availableSeats });

describe("messages", () => {
  it("500 updates of one tour in one tick are one render, of the newest", async () => {
    const { shown, renders } = reader();
    opens();
    await pass(FRAME);
    const before = renders();
    for (let left = 500; left > 0; left -= 1) says(seats("a", left));
    await pass(10 * FRAME);
    expect(shown.at(-1)).toEqual(seats("a", 1));
    expect(renders()).toBe(before + 1);
  });

  it("of several tours each one's newest is shown, one a frame", async () => {
    const { shown, renders } = reader();
    await pass(FRAME);
    for (let left = 100; left > 0; left -= 1) for (const tour of ["a", "b", "c"]) says(seats(tour, left));
    const before = renders();
    await pass(10 * FRAME);
    expect(shown.filter(Boolean)).toEqual([seats("a", 1), seats("b", 1), seats("c", 1)]);
    expect(renders()).toBe(before + 3);
  });

  it("what is no newest truth is shown each time, in order", async () => {
    const { shown } = reader();
    const chat = [1, 2, 3].map((n) => ({ type: "CHAT_MESSAGE", message: `${n}` }));
    chat.forEach(says);
    says("not JSON");
    await pass(10 * FRAME);
    expect(shown).toEqual(chat);
  });

  it("who comes later is shown the newest of every tour as well", async () => {
    reader();
    says(seats("a", 5));
    says(seats("b", 7));
    await pass(10 * FRAME);
    const { shown } = reader();
    await pass(10 * FRAME);
    expect(shown).toEqual([seats("a", 5), seats("b", 7)]);
  });
});

describe("the connection", () => {
  it("is one for everybody, closed after the last, and leaves no timer", async () => {
    const [one, other] = [reader(), reader()];
    opens();
    await pass(FRAME);
    expect(one.connected() && other.connected()).toBe(true);
    one.stop();
    reader().stop();
    expect(sockets).toHaveLength(1);
    other.stop();
    await pass(1_000);
    expect(sockets[0]?.closedWith).toBe(1000);
    expect(page.wakes.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is opened again with backoff, and says when it is lost", async () => {
    const { connected, stop } = reader();
    opens();
    await pass(FRAME);
    sockets[0]?.ends(1006);
    await pass(FRAME);
    expect(connected()).toBe(false);
    await pass(500);
    expect(sockets).toHaveLength(2);
    sockets[1]?.ends(1006);
    await pass(999);
    expect(sockets).toHaveLength(2);
    page.wake();
    await pass(1);
    expect(sockets).toHaveLength(3);
    stop();
    await pass(60_000);
    expect(sockets).toHaveLength(3);
  });

  it("stopped while waiting it is not opened again", async () => {
    const { stop } = reader();
    sockets[0]?.ends(1006);
    await pass(500);
    sockets[1]?.ends(1006);
    stop();
    await pass(60_000);
    expect(sockets).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});
