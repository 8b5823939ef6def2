import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ask, COMMAND_MS } from "./commands.js";
import { fakeClient, type World, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
let world: World;
const idOf = (at: number): string => (world.server.last.sent[at] as { id: string }).id;

beforeEach(async () => {
  vi.useFakeTimers();
  world = fakeClient();
  world.client.watchStatus(() => undefined);
  await pass();
  world.server.last.says(welcome({ userId: "ann" }));
});
afterEach(() => vi.useRealTimers());

it("each command has its own id, and resolves to the frame that has it, whatever comes between", async () => {
  const { client, server } = world;
  const first = ask(client, { type: "PING" });
  const second = ask(client, { type: "PING" });
  expect(idOf(0)).not.toBe(idOf(1));
  server.last.says({ type: "PONG", serverTime: "", id: idOf(1) });
  server.last.says({ type: "PONG", serverTime: "" });
  server.last.says({ type: "PONG", serverTime: "", id: idOf(0) });
  expect(await first).toMatchObject({ id: idOf(0) });
  expect(await second).toMatchObject({ id: idOf(1) });
});

it("an ERROR with its id is a refusal, with code and when to come back", async () => {
  const { client, server } = world;
  const asked = ask(client, { type: "CHAT_MESSAGE", to: "support", message: "hi" });
  server.last.says({ type: "ERROR", code: "RATE_LIMITED", message: "Rate limit exceeded", id: idOf(0), retryAfterMs: 600, details: { code: "X" } });
  await expect(asked).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 600, details: { code: "X" } });
});

it("a chat message is sent again with the same id after a break, and its repeated answer is its answer", async () => {
  const { client, server } = world;
  const asked = ask(client, { type: "CHAT_MESSAGE", to: "support", message: "hi" });
  const id = idOf(0);
  server.last.ends(1006);
  await pass(500);
  server.last.says(welcome({ userId: "ann" }));
  expect(server.last.sent).toEqual([{ type: "CHAT_MESSAGE", to: "support", message: "hi", id }]);
  server.last.says({ type: "CHAT_MESSAGE", message: "hi", messageId: "m1", conversationId: "ann", id });
  expect(await asked).toMatchObject({ messageId: "m1" });
  server.last.ends(1006);
  await pass(1_000);
  server.last.says(welcome());
  expect(server.sockets).toHaveLength(3);
  expect(server.last.sent).toEqual([]);
});

it("without a connection it waits for one, but not for ever", async () => {
  const { client, server } = world;
  server.last.ends(1006);
  const asked = ask(client, { type: "CHAT_TAKE", conversationId: "bob" });
  await pass(500);
  server.last.says(welcome());
  expect(server.last.sent).toHaveLength(1);
  const outcome = expect(asked).rejects.toMatchObject({ code: "UNANSWERED" });
  await pass(COMMAND_MS);
  await outcome;
});

it("keeps the connection until it is answered", async () => {
  const { client, server } = fakeClient();
  const asked = ask(client, { type: "PING", id: "mine" });
  await pass();
  server.last.says(welcome());
  await pass(5_000);
  server.last.says({ type: "PONG", serverTime: "", id: "mine" });
  await asked;
  await pass(5_000);
  expect(server.last.closedWith).toBe(1000);
});
