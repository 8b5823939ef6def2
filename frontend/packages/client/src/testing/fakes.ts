/** What tests hand to a client in place of the browser. Time is vitest's false time. */
import { vi } from "vitest";
import type { Clock } from "../backoff.js";
import { Client } from "../client.js";
import type { AvailabilityUpdate, ClientFrame, Welcome } from "../frames.js";
import type { SocketLike } from "../link.js";
import type { Page } from "../page.js";
import type { ClientParts } from "../parts.js";
import { Readers } from "../readers.js";
import { type Answer, readTours, type Request } from "../rest.js";
import type { Via } from "../roads.js";
import type { Snapshot } from "../wire.js";

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
  readonly via: Via;
  readonly token: string | null;
  readonly query: URLSearchParams;

  constructor(via: Via, token: string | null, query: URLSearchParams) {
    this.via = via;
    this.token = token;
    this.query = query;
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
  readonly open = async (
    via: Via,
    token: string | null,
    query: (via: Via) => URLSearchParams = () => new URLSearchParams(),
  ): Promise<FakeSocket> => {
    const socket = new FakeSocket(via, token, query(via));
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
  isVisible = true;
  readonly wakes = new Set<() => void>();
  readonly leaves = new Set<() => void>();
  online(): boolean {
    return this.isOnline;
  }
  visible(): boolean {
    return this.isVisible;
  }
  listen(wake: () => void, leave: () => void): () => void {
    this.wakes.add(wake);
    this.leaves.add(leave);
    return () => {
      this.wakes.delete(wake);
      this.leaves.delete(leave);
    };
  }
  wake(): void {
    for (const wake of this.wakes) wake();
  }
  leave(): void {
    for (const leave of this.leaves) leave();
  }
}

export const welcome = (more: Partial<Welcome> = {}): Welcome => ({
  type: "WELCOME",
  message: "Connected",
  connectionId: "c1",
  protocol: 1,
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
  more: Partial<AvailabilityUpdate> = {},
): AvailabilityUpdate => ({
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

/** Runs a batch when a frame is drawn: 16 ms later, and never while the page is hidden. */
export function frames(page: Page): Readers {
  return new Readers((flush) => {
    const draw = (): void => {
      if (page.visible()) flush();
      else hidden.add(draw);
    };
    setTimeout(draw, 16);
  });
}
const hidden = new Set<() => void>();

/** The page is shown again: what waited for a frame is drawn. */
export function show(page: FakePage): void {
  page.isVisible = true;
  const waiting = [...hidden];
  hidden.clear();
  for (const draw of waiting) draw();
  page.wake();
}

export interface World {
  readonly client: Client;
  readonly server: FakeServer;
  readonly page: FakePage;
  /** What `GET /api/tours` answers. */
  readonly read: ReturnType<typeof vi.fn<(path: string, init?: RequestInit) => Promise<Snapshot>>>;
  /** What every other request is answered. */
  readonly answer: ReturnType<typeof vi.fn<Request>>;
}

/** A client with everything around it false, and the handles to play the world. */
export function fakeClient(more: Partial<ClientParts> = {}): World {
  const server = new FakeServer();
  const page = new FakePage();
  const read: World["read"] = vi.fn(async () => snapshot([]));
  const answer = vi.fn<Request>(async () => ({ body: {}, headers: new Headers() }));
  const request = async (path: string, init?: RequestInit): Promise<Answer> => {
    if (path !== "/api/tours") return answer(path, init);
    const { epoch, tours } = await read(path, init);
    return { body: tours, headers: new Headers(epoch === null ? {} : { "Seatcast-Epoch": epoch }) };
  };
  const client = new Client({
    readers: frames(page),
    clock,
    random: () => 0.5,
    page,
    request,
    token: async () => null,
    roads: ["socket"],
    open: server.open,
    tours: "all",
    read: readTours,
    language: () => null,
    ...more,
  });
  return { client, server, page, read, answer };
}
