/** A WebSocket to any server, reopened with backoff; connected is what the browser calls open. */
import { Backoff, type Clock } from "./backoff.js";
import { BREATH_MS, STABLE_MS } from "./link.js";
import type { Page } from "./page.js";

export interface RawLinkParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly page: Page;
  readonly open: () => WebSocket;
}

/** Keep a WebSocket open; call back with each text and each change of state. Returns how to end it. */
export function keepOpen(
  { clock, random, page, open }: RawLinkParts,
  heard: (text: string) => void,
  state: (connected: boolean) => void,
): () => void {
  const backoff = new Backoff(random);
  let socket: WebSocket | null = null;
  let timer: unknown = null;
  let openedAt = Number.POSITIVE_INFINITY;
  let triedAt = 0;

  function connect(): void {
    timer = null;
    triedAt = clock.now();
    const mine = (socket = open());
    mine.onopen = () => {
      openedAt = clock.now();
      state(true);
    };
    mine.onmessage = ({ data }) => {
      if (typeof data === "string") heard(data);
    };
    mine.onclose = () => {
      socket = null;
      state(false);
      if (clock.now() - openedAt >= STABLE_MS) backoff.reset();
      openedAt = Number.POSITIVE_INFINITY;
      timer = clock.setTimeout(connect, backoff.next());
    };
  }

  const wake = (): void => {
    // Waiting: not any longer, but not sooner than a moment after the attempt before.
    if (timer === null) return;
    clock.clearTimeout(timer);
    timer = clock.setTimeout(connect, Math.max(0, triedAt + BREATH_MS - clock.now()));
  };
  // The browser ends the socket of a page that is left, and says so.
  const unlisten = page.listen(wake, () => undefined);
  connect();
  return () => {
    unlisten();
    clock.clearTimeout(timer);
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  };
}
