import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClient, welcome, type World } from "../packages/client/src/testing/fakes";
import { keepTogether } from "./renewal";
import { Sessions } from "./session";

const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const token = (claims: object): string => `${base64url("{}")}.${base64url(JSON.stringify(claims))}.c2ln`;
const ann = token({ userId: "ann", roles: [] });
const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

let sessions: Sessions;
let world: World;
let stop: () => void;

/** Connect as whoever is signed in; the library reads from the client as a page does. */
async function connect(first: string | null): Promise<void> {
  sessions = new Sessions(null);
  if (first !== null) sessions.signIn(first);
  world = fakeClient({ token: async () => sessions.now()?.token ?? null });
  stop = keepTogether(world.client as never, sessions);
  await pass();
}

const tokens = (): (string | null)[] => world.server.sockets.map((socket) => socket.token);

beforeEach(() => vi.useFakeTimers());
afterEach(async () => {
  stop();
  await pass(1_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("who signs in or out", () => {
  it("connects anew, as whom they are", async () => {
    await connect(null);
    sessions.signIn(ann);
    await pass();
    sessions.signOut();
    await pass();
    expect(tokens()).toEqual([null, ann, null]);
  });

  it("with other roles connects anew, with a newer token of the same kind does not", async () => {
    await connect(ann);
    sessions.signIn(token({ userId: "ann", roles: [], exp: 9e9 }));
    await pass();
    expect(tokens()).toHaveLength(1);
    sessions.signIn(token({ userId: "ann", roles: ["staff"] }));
    await pass();
    expect(tokens()).toHaveLength(2);
  });

  it("has their newer token taken when the older one ends", async () => {
    await connect(ann);
    world.server.last.says(welcome({ userId: "ann" }));
    const newer = token({ userId: "ann", roles: [], exp: 9e9 });
    sessions.signIn(newer);
    world.server.last.ends(4401);
    await pass();
    expect(tokens()).toEqual([ann, newer]);
    expect(sessions.now()?.token).toBe(newer);
  });
});

describe("a token that is refused", () => {
  it("is given up at once, and the page goes on as nobody, without a loop", async () => {
    await connect(ann);
    world.server.last.says(welcome({ userId: "ann" }));
    await pass();
    world.server.last.ends(4401);
    await pass(100);
    expect(sessions.now()).toBeNull();
    expect(sessions.expired()?.userId).toBe("ann");
    world.server.last.says(welcome());
    await pass(30_000);
    expect(tokens()).toEqual([ann, null]);
  });

  it("is given up where nobody is let in without one, too", async () => {
    await connect(ann);
    world.server.last.ends(4401);
    await pass(100);
    world.server.last.ends(4401);
    await pass(60_000);
    expect(tokens()).toEqual([ann, null]);
    expect(world.client.status()).toMatchObject({ kind: "refused", code: 4401 });
    expect(sessions.expired()?.userId).toBe("ann");
  });
});
