/** Whether the seats that are shown are still followed live. */
import { useConnectionStatus } from "@seatcast/client/react";
import { createContext, type ReactNode, use } from "react";
import { useLasting } from "./hooks";

/** A connection that is back before this was hardly away. */
export const GRACE_MS = 5_000;

const LiveContext = createContext(true);

/** False while seats may be old: the source is lost, there is no network, or no connection for a while. */
export function useLive(): boolean {
  return use(LiveContext);
}

/** Looks at the connection for everything inside it. */
export function Live({ children }: { readonly children: ReactNode }): ReactNode {
  const { kind } = useConnectionStatus();
  const trying = kind === "reconnecting" || kind === "connecting" || kind === "idle";
  const tryingLong = useLasting(trying, GRACE_MS);
  return <LiveContext value={kind === "connected" || (trying && !tryingLong)}>{children}</LiveContext>;
}
