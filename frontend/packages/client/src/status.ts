/** The state of the connection, as people care for it. */
import type { LinkState } from "./link.js";
import type { Via } from "./roads.js";

export type Status =
  | { readonly kind: "idle" | "connecting" }
  /** `via` says by which road; any but "socket" is where WebSockets are blocked. */
  | { readonly kind: "connected"; readonly via: Via }
  /** Connected, but the gateway lost the source of its facts at `since` (ISO-8601). */
  | { readonly kind: "stale"; readonly since: string; readonly via: Via }
  /** Not connected; `retryAt` and `since` (when the connection was lost) are on the clock, in milliseconds. */
  | { readonly kind: "reconnecting"; readonly retryAt: number; readonly since: number | null }
  | { readonly kind: "offline"; readonly since: number | null }
  | { readonly kind: "refused"; readonly code: number; readonly since: number | null };

export function statusOf(
  state: LinkState,
  staleSince: string | null,
  since: number | null,
  online: boolean,
  now: number,
): Status {
  switch (state.kind) {
    case "connected":
      return staleSince === null
        ? { kind: "connected", via: state.via }
        : { kind: "stale", since: staleSince, via: state.via };
    case "stopped":
      return { kind: "refused", code: state.code, since };
    case "waiting":
      return online ? { kind: "reconnecting", retryAt: state.retryAt, since } : { kind: "offline", since };
    case "connecting":
      return since === null ? state : { kind: "reconnecting", retryAt: now, since };
    case "idle":
      return state;
  }
}

/** May a command be sent, now or once the connection is back? The other roads carry nothing back. */
export function overSocket(status: Status): boolean {
  return !("via" in status) || status.via === "socket";
}
