/** What tests hand to live/ in place of the browser. Time is vitest's false time. */
import { vi } from "vitest";
import type { Clock } from "../live/backoff";
import { Live, type LiveOptions } from "../live/client";
import type { Page } from "../live/page";
import type { SocketLike } from "../live/socket";
import { Store } from "../live/store";
import type { AvailabilityFrame, ClientFrame, Snapshot, Welcome } from "../wire";

export const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** A WebSocket whose other end is the test. */
export class FakeSocket implements SocketLike {
  readyState = 0;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;
  readonly sent: ClientFrame[] = [];
  closedWith: number | undefined;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(code?: number): void {
    this.closedWith ??= code ?? 1005;
    this.readyState = 3;
  }

  /** The server says something. */
  says(frame: unknown): void {
    this.readyState = 1;
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as MessageEvent);
  }

  /** The connection ends, and the browser says with what code. */
  ends(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }

  /** Nobody listens to it any more. */
  get abandoned(): boolean {
    return this.onmessage === null && this.onclose === null && this.onerror === null;
  }
}

/** Opens fake sockets and remembers them. */
export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly open = (url: string): FakeSocket => {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  };

  /** The newest socket. */
  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody connected");
    return socket;
  }
}

export class FakePage implements Page {
  isOnline = true;
  readonly wakes = new Set<() => void>();
  online(): boolean {
    return this.isOnline;
  }
  listen(wake: () => void): () => void {
    this.wakes.add(wake);
    return () => this.wakes.delete(wake);
  }
  wake(): void {
    for (const wake of this.wakes) wake();
  }
}

export const welcome = (more: Partial<Welcome> = {}): Welcome => ({
  type: "WELCOME",
  connectionId: "c1",
  serverTime: "2026-06-01T10:00:00.000Z",
  heartbeatSeconds: 20,
  epoch: "e1",
  following: "all",
  ...more,
});

export const update = (
  tourId: string,
  version: number,
  availableSeats: number,
  more: Partial<AvailabilityFrame> = {},
): AvailabilityFrame => ({
  type: "AVAILABILITY_UPDATE",
  tourId,
  version,
  availableSeats,
  timestamp: `2026-06-01T10:00:00.${String(version % 1000).padStart(3, "0")}Z`,
  tourName: `Tour ${tourId}`,
  capacity: 100,
  held: 0,
  ...more,
});

export const snapshot = (tours: Snapshot["tours"], epoch: string | null = "e1"): Snapshot => ({ epoch, tours });

/** A `Live` with everything around it false, and the handles to play the world. */
export function fakeLive(more: Partial<LiveOptions> = {}): {
  live: Live;
  store: Store;
  server: FakeServer;
  page: FakePage;
  read: ReturnType<typeof vi.fn<LiveOptions["read"]>>;
} {
  const server = new FakeServer();
  const page = new FakePage();
  const store = new Store((flush) => setTimeout(flush, 16));
  const read = vi.fn<LiveOptions["read"]>(async () => snapshot([]));
  const live = new Live({
    store,
    clock,
    random: () => 0.5,
    page,
    url: async () => "ws://test/",
    open: server.open,
    read,
    ...more,
  });
  return { live, store, server, page, read };
}
