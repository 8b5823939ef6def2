import { describe, expect, it, vi } from "vitest";
import { has, Sessions } from "./session";

const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const token = (claims: object): string => `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify(claims))}.c2ln`;

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  } as unknown as Storage;
}

describe("who is signed in", () => {
  it("is what the token says, in any alphabet", () => {
    const sessions = new Sessions(null);
    sessions.signIn(token({ userId: "Zoé", roles: ["staff", 7] }));
    expect(sessions.now()).toMatchObject({ userId: "Zoé", roles: ["staff"] });
    expect(has(sessions.now(), "staff")).toBe(true);
    expect(has(sessions.now(), "admin")).toBe(false);
    expect(has(null, "admin")).toBe(false);
  });

  it("is `sub` where there is no `userId`", () => {
    const sessions = new Sessions(null);
    sessions.signIn(token({ sub: "ann" }));
    expect(sessions.now()).toMatchObject({ userId: "ann", roles: [] });
  });

  it("outlives a reload, and not a sign-out", () => {
    const kept = storage();
    const sessions = new Sessions(kept);
    sessions.signIn(token({ userId: "ann" }));
    expect(new Sessions(kept).now()?.userId).toBe("ann");
    sessions.signOut();
    expect(new Sessions(kept).now()).toBeNull();
  });

  it("is told to who watches", () => {
    const sessions = new Sessions(null);
    const wake = vi.fn();
    const stop = sessions.watch(wake);
    sessions.signIn(token({ userId: "ann" }));
    stop();
    sessions.signOut();
    expect(wake).toHaveBeenCalledTimes(1);
  });

  it("comes from an address's fragment", () => {
    const sessions = new Sessions(null);
    expect(sessions.takeFrom("#content")).toBe(false);
    expect(sessions.takeFrom(`#token=${token({ userId: "ann" })}`)).toBe(true);
    expect(sessions.now()?.userId).toBe("ann");
  });

  it.each(["", "a", "a.b.c", token({}), token({ userId: 7 })])("is not %j", (given) => {
    const sessions = new Sessions(null);
    expect(() => sessions.signIn(given)).toThrow("not a token");
    expect(sessions.takeFrom(`#token=${given}`)).toBe(false);
    expect(sessions.now()).toBeNull();
  });

  it("is nobody where the storage is forbidden or holds nonsense", () => {
    const forbidden = {
      getItem: () => {
        throw new Error("forbidden");
      },
    } as unknown as Storage;
    expect(new Sessions(forbidden).now()).toBeNull();
    expect(() => new Sessions(forbidden).signIn(token({ userId: "ann" }))).not.toThrow();
  });
});
