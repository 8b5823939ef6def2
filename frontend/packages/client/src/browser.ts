/** The one file that knows the browser: it hands its sockets, clock and document to everything else. */
import type { Clock } from "./backoff.js";
import { Client } from "./client.js";
import { gatewayOf } from "./gateway.js";
import { browserPage, type Page } from "./page.js";
import { Raw } from "./raw.js";
import { keepOpen } from "./rawlink.js";
import { Readers } from "./readers.js";
import { readTours, type ReadTours, requests } from "./rest.js";

export interface ClientOptions {
  /** Where the tour service is: `https://tours.example`. Without it, the page's own origin. */
  readonly api?: string;
  /** Where the gateway is: `wss://live.example/`. Without it, the tour service is asked. */
  readonly url?: string;
  /** The token of whoever is signed in, null for nobody. Asked at each connection, and again when one was refused. */
  readonly getToken?: () => Promise<string | null> | string | null;
  /** Follow every tour (the default), or only those that somebody reads. */
  readonly tours?: "all" | "watched";
  /** How to read the tours over REST; as a list (the default), or `oneByOne` where few of many are watched. */
  readonly read?: ReadTours;
  /** "fr" or "en", or how to find out; without it, as the browser says. */
  readonly language?: string | (() => string);
}

/** For pages that are drawn elsewhere than in a browser. */
const FRAME_MS = 16;

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/** A hidden page draws no frames: it wakes nobody, and is right on the first frame after it is shown again. */
function nextFrame(draw: () => void): void {
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(draw);
  else setTimeout(draw, FRAME_MS);
}

const thisPage = (): Page => browserPage(globalThis, globalThis.document, globalThis.navigator);

/**
 * Make a client. It connects when something is read, and closes a moment after nothing is any more.
 *
 * One is enough for a page: whatever reads from it shares its connection.
 */
export function createClient(options: ClientOptions = {}): Client {
  const { api = "", url, getToken, tours = "all", read = readTours, language } = options;
  const token = async (): Promise<string | null> => (await getToken?.()) ?? null;
  const spoken = (): string | null => (typeof language === "function" ? language() : (language ?? null));
  const call: typeof fetch = (input, init) => fetch(input, init);
  const request = requests({ fetch: call, clock, base: api, token, language: spoken });
  let fallback: Promise<ReturnType<typeof import("./fallbacks.js").fallbacks>> | undefined;
  const gateway = gatewayOf(request, () => new URL(api, location.href));

  return new Client({
    readers: new Readers(nextFrame),
    clock,
    random: Math.random,
    page: thisPage(),
    request,
    token,
    roads: ["socket", "stream", "poll"],
    tours,
    read,
    language: spoken,
    async open(via, token, query) {
      const socket = async (): Promise<WebSocket> => {
        const address = new URL(url ?? (await gateway()));
        query("socket").forEach((value, name) => address.searchParams.set(name, value));
        // A token in the address would end in logs.
        return new WebSocket(address, token === null ? [] : ["seatcast", `bearer.${token}`]);
      };
      if (via === "socket") return socket();
      // Most pages never need it.
      fallback ??= import("./fallbacks.js").then(({ fallbacks }) =>
        fallbacks({ fetch: call, clock, random: Math.random, url: `${api}/api/tours/availability` }),
      );
      fallback.catch(() => (fallback = undefined));
      return (await fallback)(via, token, query(via), socket);
    },
  });
}

const raws = /* @__PURE__ */ new Map<string, Raw>();

/** The connection to an address that everybody on the page shares, whatever speaks there. */
export function rawOf(url: string): Raw {
  let raw = raws.get(url);
  if (raw === undefined) {
    const parts = { clock, random: Math.random, page: thisPage(), open: () => new WebSocket(url) };
    raw = new Raw({ clock, schedule: nextFrame, open: (heard, state) => keepOpen(parts, heard, state) });
    raws.set(url, raw);
  }
  return raw;
}
