import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Conversation, conversationOf } from "./conversation.js";
import { HttpError, type Request } from "./rest.js";
import { fakeClient, type World, welcome } from "./testing/fakes.js";
import { TYPING_MS } from "./typing.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const said = (n: number, from = "support", more = {}) => ({
  type: "CHAT_MESSAGE",
  from,
  to: from === "support" ? "ann" : "support",
  message: `text ${n}`,
  timestamp: `2026-06-01T10:00:${String(n).padStart(2, "0")}.000Z`,
  messageId: `m${n}`,
  conversationId: "ann",
  ...more,
});
const stands = (version: number, unread = 0) => ({
  type: "CONVERSATION_UPDATE",
  conversationId: "ann",
  version,
  unread: { traveller: unread, support: 0 },
  delivered: {},
  read: {},
  timestamp: "",
});

let world: World;
let own: Conversation;
let stop: () => void;
let history: unknown[];
let more: boolean;
const ids = (): (string | undefined)[] => own.view().messages.map(({ messageId }) => messageId);

beforeEach(async () => {
  vi.useFakeTimers();
  world = fakeClient();
  history = [said(1), said(2, "ann")];
  more = false;
  world.answer.mockImplementation(async (path) => ({
    body:
      path === "/api/conversations"
        ? { conversations: [{ state: stands(3, 1), lastMessage: history.at(-1) }] }
        : { messages: history, more },
    headers: new Headers(),
  }));
  own = conversationOf(world.client, null);
  stop = own.watch(() => undefined);
  await pass();
  world.server.last.says(welcome({ userId: "ann" }));
  await pass();
});
afterEach(() => vi.useRealTimers());

it("is the history, then what is said, each once, and how it stands by its highest version", async () => {
  const { server } = world;
  expect(world.answer.mock.calls.map(([path]) => path)).toEqual([
    "/api/conversations",
    "/api/conversations/support/messages",
  ]);
  server.last.says(said(3));
  server.last.says(said(3));
  server.last.says(said(4, "support", { conversationId: "bob" }));
  expect(ids()).toEqual(["m1", "m2", "m3"]);
  expect(own.view().state?.unread.traveller).toBe(1);
  server.last.says(stands(5, 2));
  server.last.says(stands(4, 9));
  expect(own.view().state).toMatchObject({ version: 5, unread: { traveller: 2 } });
  expect(own.view()).toBe(own.view());
});

it("what comes while the history is being read is neither lost nor shown twice", async () => {
  const { server } = world;
  server.last.ends(1006);
  await pass(500);
  let answer: (body: unknown) => void = () => undefined;
  const before = world.answer.getMockImplementation() as Request;
  world.answer.mockImplementation((path, init) =>
    path.endsWith("/messages")
      ? new Promise((resolve) => (answer = (body) => resolve({ body, headers: new Headers() })))
      : before(path, init),
  );
  server.last.says(welcome({ userId: "ann" }));
  await pass();
  server.last.says(said(5));
  server.last.says(said(6));
  answer({ messages: [said(1), said(2, "ann"), said(4), said(5)], more: false });
  await pass();
  expect(ids()).toEqual(["m1", "m2", "m4", "m5", "m6"]);
});

it("after a break that was resumed only how it stands is read again", async () => {
  const { server } = world;
  server.last.says(said(3));
  server.last.ends(1006);
  await pass(500);
  world.answer.mockClear();
  server.last.says(welcome({ userId: "ann", resumed: true }));
  server.last.says(said(4));
  await pass();
  expect(world.answer.mock.calls.map(([path]) => path)).toEqual(["/api/conversations"]);
  expect(ids()).toEqual(["m1", "m2", "m3", "m4"]);
});

describe("saying something", () => {
  it("shows it at once, and the stored message takes its place", async () => {
    const { server } = world;
    const done = own.say("hello");
    expect(own.view().outgoing).toMatchObject([{ message: "hello", failed: false }]);
    const sent = server.last.sent.at(-1) as { id: string };
    expect(sent).toMatchObject({ type: "CHAT_MESSAGE", to: "support", message: "hello" });
    server.last.says(said(3, "ann", { message: "hello", id: sent.id }));
    expect(await done).toBe(true);
    expect(own.view().outgoing).toEqual([]);
    expect(ids()).toEqual(["m1", "m2", "m3"]);
  });

  it("keeps what was refused, to be said again with the same id", async () => {
    const { server } = world;
    const done = own.say("hello");
    const { id } = server.last.sent.at(-1) as { id: string };
    server.last.says({ type: "ERROR", code: "RATE_LIMITED", message: "", id });
    expect(await done).toBe(false);
    expect(own.view().outgoing).toMatchObject([{ id, message: "hello", failed: true, error: { code: "RATE_LIMITED" } }]);
    const again = own.again(id);
    expect(own.view().outgoing).toMatchObject([{ failed: false }]);
    server.last.says(said(3, "ann", { message: "hello", id }));
    expect(await again).toBe(true);
  });

  it("goes to the service where there is no WebSocket", async () => {
    const { server, client } = (world = fakeClient({ roads: ["poll"] }));
    world.answer.mockImplementation(async (_, init) => ({
      body: init?.method === "POST" ? { message: said(9, "ann"), repeated: false } : { messages: [], more, conversations: [] },
      headers: new Headers(),
    }));
    own = conversationOf(client, "ann");
    own.watch(() => undefined);
    await pass();
    server.last.says(welcome());
    await pass();
    expect(await own.say("hello")).toBe(true);
    expect(ids()).toEqual(["m9"]);
    expect(world.answer.mock.calls.at(-1)?.[0]).toBe("/api/conversations/ann/messages");

    const body = { error: "Le message est vide", code: "MESSAGE_EMPTY" };
    world.answer.mockRejectedValue(new HttpError(400, body));
    expect(await own.say(" ")).toBe(false);
    expect(own.view().outgoing[0]?.error).toMatchObject({
      code: "INVALID_MESSAGE",
      message: "Le message est vide",
      details: { code: "MESSAGE_EMPTY" },
    });
  });

  it("what failed can be given up, what is on its way cannot", async () => {
    const { server } = world;
    void own.say("one");
    const { id } = server.last.sent.at(-1) as { id: string };
    own.drop(id);
    expect(own.view().outgoing).toHaveLength(1);
    server.last.says({ type: "ERROR", code: "INVALID_MESSAGE", message: "", id });
    await pass();
    own.drop(id);
    expect(own.view().outgoing).toEqual([]);
  });
});

it("earlier messages come before, by pages", async () => {
  history = [said(0)];
  await own.earlier();
  expect(world.answer.mock.calls.at(-1)?.[0]).toBe("/api/conversations/support/messages?before=m1");
  expect(ids()).toEqual(["m0", "m1", "m2"]);
});

it("marks the last message once, and not again when it is marked", async () => {
  const { server } = world;
  own.mark("read");
  const { id } = server.last.sent.at(-1) as { id: string };
  expect(server.last.sent.at(-1)).toMatchObject({ type: "CHAT_MARK", conversationId: "ann", messageId: "m2", mark: "read" });
  server.last.says({ ...stands(4), read: { traveller: "m2" }, id });
  own.mark("read");
  expect(server.last.sent).toHaveLength(1);
});

it("the other side is writing until it says something or a while has passed; no timer outlives the reader", async () => {
  const { server } = world;
  const typing = { type: "CHAT_TYPING", conversationId: "ann", from: "agent", timestamp: "" };
  server.last.says({ ...typing, from: "ann" });
  expect(own.view().typing).toBe(null);
  server.last.says(typing);
  expect(own.view().typing).toBe("agent");
  await pass(TYPING_MS);
  expect(own.view().typing).toBe(null);
  server.last.says(typing);
  server.last.says(said(3, "agent"));
  expect(own.view().typing).toBe(null);
  server.last.says(typing);
  stop();
  await pass(1_000);
  expect(vi.getTimerCount()).toBe(0);
});

it("writing is told at most every few seconds, and anew after something was said", async () => {
  const { server } = world;
  for (let key = 0; key < 20; key += 1) own.type();
  expect(server.last.sent).toEqual([{ type: "CHAT_TYPING", to: "support" }]);
  await pass(TYPING_MS / 2);
  own.type();
  expect(server.last.sent).toHaveLength(2);
  void own.say("hello");
  own.type();
  expect(server.last.sent.slice(2)).toMatchObject([{ type: "CHAT_MESSAGE" }, { type: "CHAT_TYPING" }]);
});

it("somebody else who signs in sees nothing of it, nor what was asked for the one before", async () => {
  const { server, client } = world;
  void own.say("for ann");
  let late: (body: unknown) => void = () => undefined;
  world.answer.mockImplementation((path) =>
    path === "/api/conversations"
      ? Promise.resolve({ body: { conversations: [] }, headers: new Headers() })
      : new Promise((resolve) => (late = (body) => resolve({ body, headers: new Headers() }))),
  );
  void own.reload();
  const toAnn = late;
  client.renew();
  await pass();
  server.last.says(welcome({ userId: "bob" }));
  await pass();
  toAnn({ messages: [said(1)], more: true });
  await pass();
  expect(own.view()).toMatchObject({ messages: [], outgoing: [], state: null, more: false, loaded: false });
  late({ messages: [], more: false });
  await pass();
  expect(own.view()).toMatchObject({ messages: [], loaded: true });
});

it("says that messages could not be read, and reads them when it is asked again", async () => {
  world.answer.mockRejectedValueOnce(new Error("no answer"));
  await own.reload();
  expect(own.view().failing).toBe(true);
  history = [said(1), said(2, "ann"), said(3)];
  await own.reload();
  expect(own.view().failing).toBe(false);
  expect(ids()).toEqual(["m1", "m2", "m3"]);
});

it("where nothing is told, it reads what the list of conversations has and it has not", async () => {
  const { server } = (world = fakeClient({ roads: ["poll"] }));
  let said_ = [said(1)];
  world.answer.mockImplementation(async (path) => ({
    body:
      path === "/api/conversations"
        ? { conversations: [{ state: stands(said_.length), lastMessage: said_.at(-1) }] }
        : { messages: said_, more: false },
    headers: new Headers(),
  }));
  own = conversationOf(world.client, "ann");
  own.watch(() => undefined);
  await pass();
  server.last.says(welcome());
  await pass(100);
  expect(ids()).toEqual(["m1"]);
  said_ = [said(1), said(2)];
  await pass(10_100);
  expect(ids()).toEqual(["m1", "m2"]);
});

describe("for the team", () => {
  beforeEach(async () => {
    world = fakeClient();
    world.answer.mockImplementation(async (path) => ({
      body:
        path === "/api/conversations"
          ? { conversations: [{ state: stands(3), lastMessage: said(2, "ann") }] }
          : { messages: history, more },
      headers: new Headers(),
    }));
    own = conversationOf(world.client, "ann");
    own.watch(() => undefined);
    await pass();
    world.server.last.says(welcome({ userId: "agent" }));
    await pass();
  });

  it("it can be taken and released, and who has it is seen in the answer", async () => {
    const { server } = world;
    const taking = own.take();
    const { id } = server.last.sent.at(-1) as { id: string };
    expect(server.last.sent.at(-1)).toMatchObject({ type: "CHAT_TAKE", conversationId: "ann" });
    server.last.says({ ...stands(4), takenBy: "agent", id });
    await taking;
    expect(own.view().state?.takenBy).toBe("agent");
    void own.release();
    expect(server.last.sent.at(-1)).toMatchObject({ type: "CHAT_RELEASE", conversationId: "ann" });
  });

  it("who took it first is in the refusal", async () => {
    const { server } = world;
    const taking = own.take();
    const { id } = server.last.sent.at(-1) as { id: string };
    server.last.says({ type: "ERROR", code: "CONFLICT", message: "", id, details: { takenBy: "other" } });
    await expect(taking).rejects.toMatchObject({ code: "CONFLICT", details: { takenBy: "other" } });
  });
});
