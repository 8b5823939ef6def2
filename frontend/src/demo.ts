/** The demo's sign-in: be anybody. There where the service says so, which is with `--demo` alone. */
import type { Client, Config, DemoSession, DemoUser } from "@seatcast/client";
import { useClient, useConnectionStatus } from "@seatcast/client/react";
import { useCallback, useEffect, useState } from "react";
import { ask } from "./api";
import { useSessions } from "./session";

const NOBODY: readonly DemoUser[] = [];
const asked = new WeakMap<Client, Promise<readonly DemoUser[]>>();

/** Whom one may be; asked once for all who want to know. */
function demoUsers(client: Client): Promise<readonly DemoUser[]> {
  let users = asked.get(client);
  if (users === undefined) {
    users = client.request("/api/config").then(({ body }) => (body as Partial<Config>).demoUsers ?? NOBODY);
    asked.set(client, users);
    users.catch(() => asked.delete(client));
  }
  return users;
}

/** Whom one may be here: nobody where there is no demo, or while that is not known. */
export function useDemoUsers(): readonly DemoUser[] {
  const client = useClient();
  // Who had no answer asks again when the service is back.
  const connected = useConnectionStatus().kind === "connected";
  const [users, setUsers] = useState(NOBODY);
  useEffect(() => {
    let wanted = true;
    demoUsers(client).then(
      (found) => wanted && setUsers(found),
      () => undefined,
    );
    return () => void (wanted = false);
  }, [client, connected]);
  return users;
}

/** Sign in as somebody. Rejects with `Refused` or `Unanswered`. */
export function useDemoSignIn(): (user: DemoUser) => Promise<void> {
  const client = useClient();
  const { signIn } = useSessions();
  return useCallback(
    async (user) => {
      const body = JSON.stringify(user);
      const session = (await ask(client.request, "/api/demo/sessions", { method: "POST", body })) as DemoSession;
      signIn(session.token);
    },
    [client, signIn],
  );
}
