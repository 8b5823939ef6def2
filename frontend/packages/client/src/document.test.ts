import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { documentOf, type SharedDocument } from "./document.js";
import { fakeClient, type World, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const field = (value: string, version: number) => ({ value, version, userId: "ann", timestamp: "" });
const edited = (value: string, version: number, more = {}) => ({
  type: "DOCUMENT_EDIT",
  documentId: "d1",
  userId: "bob",
  changes: { field: "title", value },
  timestamp: "",
  version,
  ...more,
});
let world: World;
let shared: SharedDocument;
let stored: { version: number; fields: Record<string, unknown> };

beforeEach(async () => {
  vi.useFakeTimers();
  world = fakeClient();
  stored = { version: 4, fields: { title: field("Louvre", 4), body: field("At night", 2) } };
  world.answer.mockImplementation(async () => ({ body: stored, headers: new Headers() }));
  shared = documentOf(world.client, "d1");
  shared.watch(() => undefined);
  await pass();
  world.server.last.says(welcome({ userId: "ann" }));
  expect(world.answer).not.toHaveBeenCalled();
  world.server.last.says({ type: "SUBSCRIBED", channel: "document:d1" });
  await pass();
});
afterEach(() => vi.useRealTimers());

it("is read once it is followed, and changes as it is edited", () => {
  const { server } = world;
  expect(server.last.sent).toEqual([{ type: "SUBSCRIBE", channel: "document:d1" }]);
  server.last.says(edited("Orsay", 5));
  server.last.says(edited("old", 5));
  server.last.says(edited("other", 6, { documentId: "d2" }));
  expect(shared.view()).toMatchObject({ version: 5, fields: { title: { value: "Orsay" }, body: { value: "At night" } } });
});

it("is read again when a version is missing", async () => {
  stored = { version: 7, fields: { title: field("Orsay", 7) } };
  world.server.last.says(edited("Orsay", 7));
  await pass();
  expect(shared.view()).toMatchObject({ version: 7, fields: { title: { value: "Orsay" } } });
  expect(world.answer).toHaveBeenCalledTimes(2);
});

it("is read again after each reconnection, and after its versions have begun anew", async () => {
  const { server } = world;
  server.last.ends(1006);
  await pass(500);
  stored = { version: 1, fields: {} };
  server.last.says(welcome({ userId: "ann" }));
  server.last.says({ type: "RESET", epoch: "e2" });
  server.last.says({ type: "SUBSCRIBED", channel: "document:d1" });
  await pass();
  expect(shared.view()).toMatchObject({ version: 1, loaded: true });
});

it("an edit says what it was made from, and is refused when somebody else was quicker", async () => {
  const { server } = world;
  const done = shared.edit("title", "Mine");
  const sent = server.last.sent.at(-1) as { id: string };
  expect(sent).toMatchObject({ type: "DOCUMENT_EDIT", baseVersion: 4, changes: { field: "title", value: "Mine" } });
  server.last.says(edited("Mine", 5, { id: sent.id }));
  await done;
  expect(shared.view().fields["title"]?.value).toBe("Mine");
  const late = shared.edit("title", "Again");
  const { id } = server.last.sent.at(-1) as { id: string };
  server.last.says({ type: "ERROR", code: "CONFLICT", message: "", id, details: { value: "Theirs" } });
  await expect(late).rejects.toMatchObject({ code: "CONFLICT", details: { value: "Theirs" } });
});
