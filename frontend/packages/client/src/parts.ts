/** What a client is made of, and who may listen to it. */
import type { Clock } from "./backoff.js";
import type { ServerFrame, Welcome } from "./frames.js";
import type { LinkOptions, SocketLike } from "./link.js";
import type { Page } from "./page.js";
import type { Readers } from "./readers.js";
import type { ReadTours, Request } from "./rest.js";
import type { Via } from "./roads.js";

export interface ClientParts {
  readonly readers: Readers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly page: Page;
  /** To the tour service. */
  readonly request: Request;
  readonly token: LinkOptions["token"];
  readonly roads: readonly Via[];
  /** Open a road; `query` returns what the address of one has to say. */
  readonly open: (via: Via, token: string | null, query: (via: Via) => URLSearchParams) => Promise<SocketLike>;
  /** Follow every tour, or only those that somebody reads. */
  readonly tours: "all" | "watched";
  readonly read: ReadTours;
  /** The language of messages; null leaves it to the browser. */
  readonly language: () => string | null;
}

/** Somebody who listens to the connection itself, for as long as there is a client. */
export interface Tap {
  /** Every frame, also one that is told again. */
  readonly frame?: (frame: ServerFrame) => void;
  /** Every message once: none that was told before. */
  readonly message?: (frame: ServerFrame) => void;
  readonly up?: (welcome: Welcome) => void;
  readonly down?: () => void;
  /** Nobody uses the connection any more. */
  readonly stop?: () => void;
}
