import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Conversations, conversationsOf, REFRESH_MS } from "./conversations.js";
import { fakeClient, type World, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const at = (second: number): string => `2026-06-01T10:00:${String(second).padStart(2, "0")}.000Z`;
const said = (id: string, second: number, from = id) => ({
  type: "CHAT_MESSAGE",
  from,
  to: from === id ? "support" : id,
  message: `at ${second}`,
  timestamp: at(second),
  messageId: `m${second}`,
  conversationId: id,
});
const stands = (id: string, version: number, more = {}) => ({
  type: "CONVERSATION_UPDATE",
  conversationId: id,
  version,
  unread: { traveller: 0, support: version },
  delivered: {},
  read: {},
  timestamp: "",
  ...more,
});
const entry = (id: string, second: number, more = {}) => ({ state: stands(id, 1), lastMessage: said(id, second), ...more });

let world: World;
let list: Conversations;
let stop: () => void;
let pages: Record<string, unknown>;
const ids = (): string[] => list.view().conversations.map(({ id }) => id);
const asked = (): string[] => world.answer.mock.calls.map(([path]) => path);

beforeEach(async () => {
  vi.useFakeTimers();
  world = fakeClient();
  pages = { "/api/conversations": { conversations: [entry("bob", 9, { waitingSince: at(7) }), entry("ann", 5)] } };
  world.answer.mockImplementation(async (path) => {
    if (pages[path] === undefined) throw new Error("no answer");
    return { body: pages[path], headers: new Headers() };
  });
  list = conversationsOf(world.client);
  stop = list.watch(() => undefined);
  await pass();
  world.server.last.says(welcome({ userId: "agent" }));
  await pass();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

it("is read once a connection begins, the newest first, with how each stands", () => {
  expect(asked()).toEqual(["/api/conversations"]);
  expect(list.view()).toMatchObject({ loaded: true, failing: false, more: false });
  expect(list.view().conversations).toMatchObject([
    { id: "bob", state: { version: 1 }, lastMessage: { messageId: "m9" }, waitingSince: at(7) },
    { id: "ann", waitingSince: null },
  ]);
  expect(list.view()).toBe(list.view());
});

it("a conversation in which something is said is the first, also one that is new", () => {
  const { server } = world;
  server.last.says(said("ann", 10));
  expect(ids()).toEqual(["ann", "bob"]);
  server.last.says(said("eve", 11));
  expect(ids()).toEqual(["ann", "bob"]);
  // How it stands follows what is said; without that there is nothing to show.
  server.last.says(stands("eve", 1));
  expect(ids()).toEqual(["eve", "ann", "bob"]);
});

it("how one stands changes in its place", () => {
  const { server } = world;
  server.last.says(stands("ann", 2, { takenBy: "other" }));
  expect(ids()).toEqual(["bob", "ann"]);
  expect(list.view().conversations[1]?.state.takenBy).toBe("other");
});

it("a traveller waits since the first thing that nobody has answered", () => {
  const { server } = world;
  const waiting = (id: string) => list.view().conversations.find((one) => one.id === id)?.waitingSince;
  server.last.says(said("bob", 12));
  expect(waiting("bob")).toBe(at(7));
  server.last.says(said("bob", 13, "agent"));
  expect(waiting("bob")).toBe(null);
  server.last.says(said("bob", 14));
  server.last.says(said("bob", 15));
  expect(waiting("bob")).toBe(at(14));
});

it("what is told while the list is being read is neither lost nor undone by an older answer", async () => {
  let answer: () => void = () => undefined;
  world.answer.mockImplementationOnce(
    (path) => new Promise((resolve) => (answer = () => resolve({ body: pages[path], headers: new Headers() }))),
  );
  void list.refresh();
  world.server.last.says(said("ann", 20));
  answer();
  await pass();
  expect(ids()).toEqual(["ann", "bob"]);
  expect(list.last("ann")?.messageId).toBe("m20");
});

it("older ones come after, by pages, each once", async () => {
  pages["/api/conversations"] = { conversations: [entry("bob", 9), entry("ann", 5)], before: 5 };
  pages["/api/conversations?before=5"] = { conversations: [entry("ann", 5), entry("old", 1)] };
  await list.refresh();
  expect(list.view().more).toBe(true);
  await list.earlier();
  expect(ids()).toEqual(["bob", "ann", "old"]);
  expect(list.view().more).toBe(false);
});

it("after a break it is read again: marks and takings are not told twice", async () => {
  const { server } = world;
  server.last.ends(1006);
  await pass(500);
  pages["/api/conversations"] = { conversations: [{ ...entry("ann", 5), state: stands("ann", 7) }] };
  server.last.says(welcome({ userId: "agent", resumed: true }));
  await pass();
  expect(list.view().conversations).toMatchObject([{ id: "ann", state: { version: 7 } }]);
});

it("somebody else who signs in sees nothing of it", async () => {
  world.answer.mockImplementation(() => new Promise(() => undefined));
  world.client.renew();
  await pass();
  world.server.last.says(welcome({ userId: "ann" }));
  expect(list.view()).toMatchObject({ conversations: [], loaded: false });
});

it("a reading without an answer is said, and tried again; no timer outlives the reader", async () => {
  const page = pages["/api/conversations"];
  delete pages["/api/conversations"];
  await list.refresh();
  expect(list.view().failing).toBe(true);
  expect(ids()).toEqual(["bob", "ann"]);
  pages["/api/conversations"] = page;
  await pass(REFRESH_MS);
  expect(list.view().failing).toBe(false);
  delete pages["/api/conversations"];
  await list.refresh();
  stop();
  await pass(1_000);
  expect(vi.getTimerCount()).toBe(0);
});

describe("where there is no WebSocket", () => {
  it("is read again and again, for as long as somebody looks", async () => {
    const poll = fakeClient({ roads: ["poll"] });
    poll.answer.mockResolvedValue({ body: pages["/api/conversations"], headers: new Headers() });
    const unwatch = conversationsOf(poll.client).watch(() => undefined);
    await pass();
    poll.server.last.says(welcome());
    await pass(2 * REFRESH_MS + 100);
    expect(poll.answer).toHaveBeenCalledTimes(3);
    unwatch();
    await pass(5 * REFRESH_MS);
    expect(poll.answer).toHaveBeenCalledTimes(3);
  });
});
