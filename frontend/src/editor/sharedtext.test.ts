// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Doc } from "yjs";
import { FakeSocket } from "./gateway.testing";
import { SharedText } from "./sharedtext";

const sockets: FakeSocket[] = [];
let token: string;
let stored: Doc;
let shared: SharedText;
const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const last = (): FakeSocket => sockets.at(-1) as FakeSocket;

class Opened extends FakeSocket {
  constructor(url: string, protocols: readonly string[]) {
    super(url, protocols);
    sockets.push(this);
  }
}

beforeEach(async () => {
  vi.useFakeTimers();
  sockets.length = 0;
  token = "t1";
  stored = new Doc();
  stored.getText("description").insert(0, "Paris");
  shared = new SharedText({
    documentId: "tour_paris",
    field: "description",
    name: "Olga",
    gateway: async () => "ws://live.example:8080/",
    token: () => token,
    random: () => 0.999,
    WebSocket: Opened as unknown as typeof WebSocket,
  });
  await pass();
});

afterEach(async () => {
  shared.end();
  const opened = sockets.length;
  await pass(60_000);
  expect(sockets).toHaveLength(opened);
  expect(sockets.every(({ readyState }) => readyState === 3)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Connected, the text read. */
async function open(): Promise<void> {
  last().letIn();
  last().sync(stored);
  last().saved(0);
  await pass();
}

describe("what is said of the text", () => {
  it("is read before anything is said of it, and the token is in no address", async () => {
    expect(last().url).toBe("ws://live.example:8080/documents/tour_paris?saved=1");
    expect(last().protocols).toEqual(["seatcast", "bearer.t1"]);
    expect(shared.state()).toEqual({ kind: "opening", loaded: false, unsaved: false });
    await open();
    expect(shared.text.toString()).toBe("Paris");
    expect(shared.state()).toEqual({ kind: "saved", loaded: true, unsaved: false });
  });

  it("is saved when the gateway says so, not when it was sent", async () => {
    await open();
    shared.text.insert(5, "!");
    shared.text.insert(6, "!");
    expect(shared.state().kind).toBe("saving");
    last().saved(1);
    expect(shared.state().kind).toBe("saving");
    last().saved(2);
    expect(shared.state()).toEqual({ kind: "saved", loaded: true, unsaved: false });
  });

  it("what others write is nothing of ours to save", async () => {
    await open();
    const before = stored.getText("description").length;
    stored.on("update", (update: Uint8Array) => last().tell(update));
    stored.getText("description").insert(before, " by night");
    expect(shared.text.toString()).toBe("Paris by night");
    expect(shared.state().kind).toBe("saved");
  });
});

describe("without a connection", () => {
  it("what is written is kept, arrives with the next one, and is saved only then", async () => {
    await open();
    last().ends(1006);
    await pass();
    shared.text.insert(5, " alone");
    expect(shared.state()).toEqual({ kind: "offline", loaded: true, unsaved: true });
    await pass(1_000);
    expect(sockets).toHaveLength(2);
    last().letIn();
    last().sync(stored);
    await pass();
    expect(shared.state().kind).toBe("saving");
    last().store(stored);
    expect(stored.getText("description").toString()).toBe("Paris alone");
    last().saved(0);
    expect(shared.state().kind).toBe("saved");
  });

  it("a network that is gone ends it at once, and one that is back begins it at once", async () => {
    await open();
    window.dispatchEvent(new Event("offline"));
    await pass();
    expect(shared.state().kind).toBe("offline");
    window.dispatchEvent(new Event("online"));
    await pass();
    expect(sockets).toHaveLength(2);
    // The old one's end, when it comes, ends nothing.
    await open();
    sockets[0]?.ends(1006);
    await pass();
    expect(shared.state().kind).toBe("saved");
  });
});

it("a connection that brings no text is given up for another", async () => {
  await pass(16_000);
  expect(shared.state().kind).toBe("offline");
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.readyState).toBe(3);
  last().letIn();
  await pass(17_000);
  expect(sockets).toHaveLength(3);
  await open();
  await pass(60_000);
  expect(sockets).toHaveLength(3);
  expect(shared.state().kind).toBe("saved");
});

describe("who is sent away", () => {
  it("comes back later and later as long as connections do not last", async () => {
    const waits: number[] = [];
    for (let times = 0; times < 7; times += 1) {
      await open();
      const opened = sockets.length;
      last().ends(1013);
      let waited = 0;
      for (; sockets.length === opened; waited += 100) await pass(100);
      waits.push(Math.round(waited / 1_000));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
    await open();
    await pass(10_000);
    last().ends(1012);
    await pass(1_000);
    expect(sockets).toHaveLength(9);
  });

  it.each([
    [1009, "tooLarge"],
    [4413, "tooLarge"],
    [4400, "refused"],
    [4403, "forbidden"],
    [4401, "signedOut"],
  ] as const)("with %i stays away until a person asks, with what was written", async (code, kind) => {
    await open();
    shared.text.insert(0, "My ");
    last().ends(code);
    window.dispatchEvent(new Event("online"));
    await pass(120_000);
    expect(sockets).toHaveLength(1);
    expect(shared.state()).toEqual({ kind, loaded: true, unsaved: true });
    shared.retry();
    await pass();
    await open();
    last().store(stored);
    expect(stored.getText("description").toString()).toBe("My Paris");
  });

  it("for an ended token comes back with a new one: at once, or as soon as there is one", async () => {
    await open();
    token = "t2";
    last().ends(4401);
    await pass();
    expect(last().protocols).toEqual(["seatcast", "bearer.t2"]);
    await open();
    last().ends(4401);
    await pass();
    shared.renew();
    await pass(60_000);
    expect(sockets).toHaveLength(2);
    token = "t3";
    shared.renew();
    await pass();
    expect(last().protocols).toEqual(["seatcast", "bearer.t3"]);
  });
});

it("who is here is known with a connection alone, and cursors wake nobody", async () => {
  await open();
  const wake = vi.fn();
  shared.watch(wake);
  last().presence(7, 1, { user: { name: "Ana" } });
  expect(shared.people().map(({ name, self }) => [name, self])).toEqual([
    ["Olga", true],
    ["Ana", false],
  ]);
  expect(wake).toHaveBeenCalledTimes(1);
  last().presence(7, 2, { user: { name: "Ana" }, cursor: { anchor: {}, head: {} } });
  expect(wake).toHaveBeenCalledTimes(1);
  last().ends(1012);
  await pass();
  expect(shared.people().map(({ name }) => name)).toEqual(["Olga"]);
});
