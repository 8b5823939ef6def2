/** A shared text for as long as a component shows it. */
import { gatewayOf } from "@seatcast/client";
import { useClient } from "@seatcast/client/react";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { type Session, useSessions } from "../session";
import { openTexts } from "./opentexts";
import { SharedText } from "./sharedtext";

interface Shared {
  /** Null for a moment, before it is opened. */
  readonly shared: SharedText | null;
  /** Give up what is not stored, and read the text again. */
  readonly discard: () => void;
}

/** `field` of a document, written by the one who is signed in. Another person's is another copy. */
export function useSharedText(documentId: string, field: string, { userId }: Session): Shared {
  const { request } = useClient();
  const sessions = useSessions();
  const [copy, setCopy] = useState(0);
  const key = JSON.stringify([documentId, field, userId, copy]);
  const make = useCallback(() => {
    let token = "";
    return new SharedText({
      documentId,
      field,
      name: userId,
      gateway: gatewayOf(request, () => location.href),
      token: () => {
        const session = sessions.now();
        // What somebody wrote is sent in their name, also when somebody else has signed in meanwhile.
        if (session?.userId === userId) ({ token } = session);
        return token;
      },
    });
  }, [documentId, field, userId, request, sessions]);
  const show = useCallback(() => openTexts.show(key, make), [key, make]);
  const shared = useSyncExternalStore(show, () => openTexts.get(key));
  useEffect(() => {
    if (shared === null) return undefined;
    // Somebody may have signed in again while no page showed it.
    shared.renew();
    return sessions.watch(shared.renew);
  }, [shared, sessions]);
  const discard = (): void => {
    openTexts.discard(key);
    setCopy(copy + 1);
  };
  return { shared, discard };
}
