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

  it("may be a whole number", () => {
    const sessions = new Sessions(null);
    sessions.signIn(token({ userId: 7 }));
    expect(sessions.now()?.userId).toBe("7");
  });

  it.each(["", "a", "a.b.c", token({}), token({ userId: 7.5 }), `${token({ userId: "ann" })} `])("is not %j", (given) => {
    const sessions = new Sessions(null);
    expect(() => sessions.signIn(given)).toThrow("not a token");
    // Whatever it is, it was meant to be secret.
    expect(sessions.takeFrom(`#token=${given}`)).toBe(true);
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

describe("a session that expires", () => {
  const ends = token({ userId: "ann", exp: 1_000 });

  it("is dropped when it is found at load, and it is known whose it was", () => {
    const kept = storage();
    new Sessions(kept).signIn(ends);
    expect(new Sessions(kept, () => 999_999).now()?.userId).toBe("ann");
    const sessions = new Sessions(kept, () => 1_000_000);
    expect(sessions.now()).toBeNull();
    expect(sessions.expired()?.userId).toBe("ann");
    expect(new Sessions(kept, () => 0).now()).toBeNull();
  });

  it("is nobody's until somebody signs in, or does not want to hear of it any more", () => {
    const sessions = new Sessions(null);
    sessions.signIn(ends);
    sessions.expire();
    expect([sessions.now(), sessions.expired()?.userId]).toEqual([null, "ann"]);
    sessions.expire();
    expect(sessions.expired()?.userId).toBe("ann");
    sessions.signIn(token({ userId: "bob" }));
    expect(sessions.expired()).toBeNull();
    sessions.expire();
    sessions.signOut();
    expect([sessions.now(), sessions.expired()]).toEqual([null, null]);
  });

  it("is no session that was signed out of", () => {
    const sessions = new Sessions(null);
    sessions.signIn(ends);
    sessions.signOut();
    sessions.expire();
    expect(sessions.expired()).toBeNull();
  });
});
