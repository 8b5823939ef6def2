/** Where the gateway is: told by the tour service, as it last said, or on the usual port of its host. */
import type { Config } from "./frames.js";
import type { Request } from "./rest.js";

const USUAL_PORT = 8080;

/** Return what finds the gateway of the tour service at `base()`, an address; asked at each connection. */
export function gatewayOf(request: Request, base: () => string | URL): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    const { protocol, hostname } = new URL(base());
    const at = (port: number): string => `${protocol === "https:" ? "wss" : "ws"}://${hostname}:${port}/`;
    try {
      const { websocketUrl, websocketPort } = (await request("/api/config")).body as Partial<Config>;
      known = websocketUrl ?? at(websocketPort ?? USUAL_PORT);
    } catch {
      // What we knew before is the best guess.
    }
    return known ?? at(USUAL_PORT);
  };
}
