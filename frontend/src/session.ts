/**
 * Who is signed in, in this tab: what the token says of itself. The service is what checks it; here it decides only what
 * is offered.
 *
 * The token is given by the site that links here (`/#token=…`, which browsers send to nobody), or by the demo's sign-in.
 * It is kept for this tab alone, so that each tab may be somebody else.
 */
import { createContext, use, useSyncExternalStore } from "react";

export const ROLES = ["staff", "support", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly roles: readonly string[];
  /** When the token ends, in milliseconds since 1970; null for one that does not say. */
  readonly endsAt: number | null;
}

const STORAGE_KEY = "seatcast.token";
const IN_FRAGMENT = "#token=";

export class Sessions {
  readonly #storage: Storage | null;
  readonly #watching = new Set<() => void>();
  #now: Session | null;
  #expired: Session | null = null;

  /** `storage`: where the token outlives a reload; null where the browser forbids that. */
  constructor(storage: Storage | null, clock: () => number = Date.now) {
    this.#storage = storage;
    this.#now = read(recall(storage));
    const { endsAt = null } = this.#now ?? {};
    if (endsAt !== null && endsAt <= clock()) this.expire();
  }

  /**
   * Take the token that an address brings, if it does.
   *
   * Returns whether there was anything like one, good or not: then it is to go from the address. Whether it has ended
   * is the service's to say, whose clock is right.
   */
  takeFrom(hash: string): boolean {
    if (!hash.startsWith(IN_FRAGMENT)) return false;
    const session = read(hash.slice(IN_FRAGMENT.length));
    if (session !== null) this.#become(session);
    return true;
  }

  readonly now = (): Session | null => this.#now;

  /** Who was signed in until the token ended; null after anything else. */
  readonly expired = (): Session | null => this.#expired;

  readonly watch = (wake: () => void): (() => void) => {
    this.#watching.add(wake);
    return () => this.#watching.delete(wake);
  };

  /** Sign in with a token. Throws where it is none. */
  readonly signIn = (token: string): void => {
    const session = read(token);
    if (session === null) throw new Error("not a token");
    this.#become(session);
  };

  /** Be nobody; also: it is known that the session has expired. */
  readonly signOut = (): void => this.#become(null);

  /** The token has ended, or the service takes it no more. */
  readonly expire = (): void => {
    if (this.#now !== null) this.#become(null, this.#now);
  };

  #become(session: Session | null, expired: Session | null = null): void {
    this.#now = session;
    this.#expired = expired;
    try {
      if (session === null) this.#storage?.removeItem(STORAGE_KEY);
      else this.#storage?.setItem(STORAGE_KEY, session.token);
    } catch {
      // A full or forbidden storage costs the memory over a reload, nothing else.
    }
    for (const wake of [...this.#watching]) wake();
  }
}

function recall(storage: Storage | null): string | null {
  try {
    return storage?.getItem(STORAGE_KEY) ?? null;
  } catch {
    return null;
  }
}

/** What a token says (RFC 7519), or null where it is none. */
function read(token: string | null): Session | null {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token ?? "") ?? [];
  if (token === null || payload === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    const user = claims["userId"] ?? claims["sub"];
    // Plain numbers are ids in some systems.
    const userId = Number.isInteger(user) ? String(user) : user;
    if (typeof userId !== "string") return null;
    const roles = Array.isArray(claims["roles"]) ? claims["roles"].filter((role) => typeof role === "string") : [];
    const endsAt = typeof claims["exp"] === "number" ? claims["exp"] * 1_000 : null;
    return { token, userId, roles, endsAt };
  } catch {
    return null;
  }
}

export const SessionsContext = createContext<Sessions>(new Sessions(null));

export function useSessions(): Sessions {
  return use(SessionsContext);
}

/** Who is signed in; null for nobody. */
export function useSession(): Session | null {
  const sessions = useSessions();
  return useSyncExternalStore(sessions.watch, sessions.now, sessions.now);
}

/** Who was signed in until the session expired, for as long as that is worth saying. */
export function useExpired(): Session | null {
  const sessions = useSessions();
  return useSyncExternalStore(sessions.watch, sessions.expired, sessions.expired);
}

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

export function has(session: Session | null, role: Role): boolean {
  return session?.roles.includes(role) ?? false;
}
