/** One client for each tour service that the tags of the page name, shared by all of them. */
import { type Client, createClient, oneByOne, type ReadTours } from "@seatcast/client";

/** Where this script came from, which is where the tours are unless a tag says otherwise. */
const SOURCE = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";

/** A tour service as tags know it. */
export interface Service {
  /** Connects while a tag reads from it. */
  readonly client: Client;
  /** When it last told anything, over whichever connection, in milliseconds; 0 for never. */
  readonly toldAt: () => number;
}

const services = new Map<string, Service>();

/** The service at `api`; null where that is no address. */
export function serviceAt(api: string | null): Service | null {
  const base = addressOf(api);
  if (base === null) return null;
  let service = services.get(base);
  if (service === undefined) services.set(base, (service = open(base)));
  return service;
}

function open(api: string): Service {
  let toldAt = 0;
  const told = (): void => void (toldAt = Date.now());
  const read: ReadTours = async (...how) => {
    const found = await oneByOne(...how);
    told();
    return found;
  };
  const client = createClient({ api, tours: "watched", read });
  client.tap({ frame: told });
  return { client, toldAt: () => toldAt };
}

/** One spelling for each service: an origin, and a path where it is not at the root of one. */
function addressOf(api: string | null): string | null {
  try {
    const { protocol, origin, pathname } = new URL(api ?? new URL("/", SOURCE || document.baseURI), document.baseURI);
    return /^https?:$/.test(protocol) ? origin + pathname.replace(/\/+$/, "") : null;
  } catch {
    return null;
  }
}
