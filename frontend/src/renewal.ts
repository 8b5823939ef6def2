/** The session and the connection follow each other: another person, another connection; a token refused, nobody. */
import type { Client } from "@seatcast/client";
import type { Session, Sessions } from "./session";

/** The gateway's word for a token that is missing, invalid or at its end. */
const UNAUTHENTICATED = 4401;

/** Keep the two together until the returned function is called. */
export function keepTogether(client: Client, sessions: Sessions): () => void {
  let person = personOf(sessions.now());
  const unwatch = sessions.watch(() => {
    const next = personOf(sessions.now());
    // A newer token of the same person is for the next connection: this one lives as long as the token it came with,
    // and then the library asks.
    if (next === person) return;
    person = next;
    client.renew();
  });
  // The library has asked for a better token by then, and there was none. Nobody cannot expire, so this comes to an
  // end also where nobody is let in without a token.
  const stop = client.watchStatus(() => {
    const status = client.status();
    if (status.kind === "refused" && status.code === UNAUTHENTICATED) sessions.expire();
  });
  return () => {
    unwatch();
    stop();
  };
}

/** Who it is and what they may do, as one word. */
function personOf(session: Session | null): string {
  return JSON.stringify(session === null ? null : [session.userId, [...session.roles].sort()]);
}
