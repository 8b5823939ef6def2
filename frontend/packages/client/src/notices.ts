/** What a person is told of their bookings: what comes, and what came in the last days. */
import type { Client } from "./client.js";
import type { BookingCancelled, BookingConfirmed, HoldExpired, ServerFrame } from "./frames.js";

export type Notice = BookingConfirmed | BookingCancelled | HoldExpired;

export interface NoticesView {
  /** The newest first. */
  readonly notices: readonly Notice[];
  /** How many of them came since `markRead`. */
  readonly unread: number;
}

/** How many to show at most, and how far back to look for what came before the page was opened. */
export const NOTICES_LIMIT = 100;
export const LOOK_BACK_MS = 7 * 24 * 3_600_000;

/** A part of the answer of `GET /api/messages`. */
interface Page {
  readonly messages: readonly { readonly seq: number; readonly frame: ServerFrame }[];
  readonly more?: boolean;
}

const KEY = "notices";
const NONE: NoticesView = { notices: [], unread: 0 };
const isNotice = ({ type }: ServerFrame): boolean => type.startsWith("BOOKING_") || type === "HOLD_EXPIRED";

export class Notices {
  readonly #client: Client;
  #view = NONE;
  #userId: string | undefined;
  #readers = 0;
  /** Is what came before in the list? */
  #whole = false;

  constructor(client: Client) {
    this.#client = client;
    client.tap({
      message: (frame) => {
        if (isNotice(frame)) this.#show([...this.#view.notices, frame as Notice], this.#view.unread + 1);
      },
      up: ({ userId, resumed }) => {
        if (userId !== this.#userId) this.#show([], 0);
        if (userId !== this.#userId || resumed === false) this.#whole = false;
        this.#userId = userId;
        void this.#read();
      },
    });
  }

  readonly view = (): NoticesView => this.#view;

  readonly watch = (wake: () => void): (() => void) => {
    const stop = this.#client.watch(KEY, wake);
    this.#readers += 1;
    void this.#read();
    return () => {
      this.#readers -= 1;
      stop();
    };
  };

  readonly markRead = (): void => {
    if (this.#view.unread > 0) this.#show(this.#view.notices, 0);
  };

  readonly dismiss = (messageId: string): void => {
    this.#show(this.#view.notices.filter((notice) => notice.messageId !== messageId), this.#view.unread);
  };

  /** Read what came before, if somebody looks, somebody is signed in, and it is not there yet. */
  async #read(): Promise<void> {
    const userId = this.#userId;
    if (this.#whole || this.#readers === 0 || userId === undefined) return;
    this.#whole = true;
    try {
      // eslint-disable-next-line no-restricted-globals -- writes a moment, reads no clock
      const after = new Date(this.#client.clock.now() - LOOK_BACK_MS).toISOString();
      // The oldest come first, and conversations are among them: the newest may be a few pages on.
      for (let from: string | null = `after=${after}`; from !== null && userId === this.#userId; ) {
        const { messages, more } = (await this.#client.request(`/api/messages?limit=500&${from}`)).body as Page;
        const found = messages.map(({ frame }) => frame).filter(isNotice) as Notice[];
        if (userId === this.#userId) this.#show([...found, ...this.#view.notices], this.#view.unread);
        const last = messages.at(-1);
        from = more === true && last !== undefined ? `afterSeq=${last.seq}` : null;
      }
    } catch {
      // What comes from now on is shown all the same; the next connection tries again.
      this.#whole = false;
    }
  }

  #show(notices: readonly Notice[], unread: number): void {
    const byId = new Map(notices.map((notice) => [notice.messageId ?? notice, notice]));
    const newestFirst = [...byId.values()].sort((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0));
    this.#view = { notices: newestFirst.slice(0, NOTICES_LIMIT), unread };
    this.#client.touch(KEY);
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Notices>();

/** What a client has been told since this was first called for it: call it before it connects. */
export function noticesOf(client: Client): Notices {
  const notices = all.get(client) ?? new Notices(client);
  all.set(client, notices);
  return notices;
}
