import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { noticesOf } from "./notices.js";
import { fakeClient, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const booked = (n: number) => ({
  type: "BOOKING_CONFIRMED",
  bookingId: `b${n}`,
  tourName: "Paris",
  message: "booked",
  timestamp: `2026-06-01T10:00:0${n}.000Z`,
  messageId: `m${n}`,
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("are what came lately and what comes, newest first, each once; what comes is unread until it is read", async () => {
  const { client, server, answer } = fakeClient();
  answer.mockImplementation(async () => ({
    body: { messages: [booked(1), booked(2), { type: "CHAT_MESSAGE" }].map((frame, seq) => ({ seq, frame })) },
    headers: new Headers(),
  }));
  const notices = noticesOf(client);
  const stop = notices.watch(() => undefined);
  await pass();
  expect(answer).not.toHaveBeenCalled();
  server.last.says(welcome({ userId: "ann" }));
  server.last.says(booked(2));
  server.last.says(booked(3));
  await pass();
  expect(notices.view().notices.map(({ bookingId }) => bookingId)).toEqual(["b3", "b2", "b1"]);
  expect(notices.view().unread).toBe(2);
  notices.markRead();
  notices.dismiss("m2");
  expect(notices.view()).toMatchObject({ unread: 0, notices: [{ bookingId: "b3" }, { bookingId: "b1" }] });
  expect(notices.view()).toBe(notices.view());

  server.last.ends(1006);
  await pass(500);
  server.last.says(welcome({ userId: "ann", resumed: true }));
  await pass();
  expect(answer).toHaveBeenCalledOnce();
  server.last.ends(1006);
  await pass(1_000);
  server.last.says(welcome({ userId: "ann", resumed: false }));
  await pass();
  expect(answer).toHaveBeenCalledTimes(2);
  stop();
});

it("are nobody else's after somebody else has signed in, and not read where nobody is", async () => {
  const { client, server, answer } = fakeClient();
  const notices = noticesOf(client);
  notices.watch(() => undefined);
  await pass();
  server.last.says(welcome({ userId: "ann" }));
  server.last.says(booked(1));
  client.renew();
  await pass();
  answer.mockClear();
  server.last.says(welcome());
  await pass();
  expect(notices.view()).toEqual({ notices: [], unread: 0 });
  expect(answer).not.toHaveBeenCalled();
});

it("that come while nobody looks are there when somebody does", async () => {
  const { client, server } = fakeClient();
  const notices = noticesOf(client);
  client.watchTours(() => undefined);
  await pass();
  server.last.says(welcome({ userId: "ann" }));
  server.last.says(booked(1));
  expect(notices.view().unread).toBe(1);
});

it("are all there also when conversations fill the first pages of what came lately", async () => {
  const { client, server, answer } = fakeClient();
  const pages: Readonly<Record<string, unknown>> = {
    after: { messages: [{ seq: 7, frame: { type: "CHAT_MESSAGE" } }], more: true },
    afterSeq: { messages: [{ seq: 8, frame: booked(1) }], more: false },
  };
  answer.mockImplementation(async (path) => {
    const query = new URL(path, "http://any").searchParams;
    expect(query.get("afterSeq") ?? "7").toBe("7");
    return { body: pages[query.has("after") ? "after" : "afterSeq"], headers: new Headers() };
  });
  const notices = noticesOf(client);
  notices.watch(() => undefined);
  await pass();
  server.last.says(welcome({ userId: "ann" }));
  await pass();
  expect(notices.view().notices.map(({ bookingId }) => bookingId)).toEqual(["b1"]);
  expect(answer).toHaveBeenCalledTimes(2);
});
