/**
 * Who is signed in, in this tab: what the token says of itself. The service is what checks it; here it decides only what
 * is offered.
 *
 * The token is given by the site that links here (`/#token=…`, which browsers send to nobody), or by the demo's sign-in.
 */
import { createContext, use, useSyncExternalStore } from "react";

export type Role = "staff" | "support" | "admin";

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly roles: readonly string[];
}

const STORAGE_KEY = "seatcast.token";
const IN_FRAGMENT = /^#token=([\w-]+\.[\w-]+\.[\w-]+)$/;

export class Sessions {
  readonly #storage: Storage | null;
  readonly #watching = new Set<() => void>();
  #now: Session | null;

  /** `storage`: where the token outlives a reload; null where the browser forbids that. */
  constructor(storage: Storage | null) {
    this.#storage = storage;
    this.#now = read(recall(storage));
  }

  /** Take the token that an address brings, if it does; return whether it did. */
  takeFrom(hash: string): boolean {
    const session = read(IN_FRAGMENT.exec(hash)?.[1] ?? null);
    if (session === null) return false;
    this.#become(session);
    return true;
  }

  readonly now = (): Session | null => this.#now;

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

  readonly signOut = (): void => this.#become(null);

  #become(session: Session | null): void {
    this.#now = session;
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
  const payload = token?.split(".")[1];
  if (token === null || payload === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    const userId = claims["userId"] ?? claims["sub"];
    if (typeof userId !== "string") return null;
    const roles = Array.isArray(claims["roles"]) ? claims["roles"].filter((role) => typeof role === "string") : [];
    return { token, userId, roles };
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

export function has(session: Session | null, role: Role): boolean {
  return session?.roles.includes(role) ?? false;
}
