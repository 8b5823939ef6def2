/**
 * Conversations with the support team: for the team all of them, for a traveller their own.
 *
 * They are read at every connection, because how they stand is not told again after a break, and kept by what is told
 * from then on. Where there is no WebSocket they are read again and again for as long as somebody looks.
 */
import type { Client } from "./client.js";
import type { ChatMessage, ConversationsPage, ConversationUpdate, ServerFrame } from "./frames.js";
import { latestOf } from "./latest.js";
import { overSocket } from "./status.js";

export interface ConversationSummary {
  /** The traveller's user id. */
  readonly id: string;
  readonly state: ConversationUpdate;
  readonly lastMessage: ChatMessage;
  /** When the traveller said the first thing that nobody of the team has answered; null: there is none. */
  readonly waitingSince: string | null;
}

export interface ConversationsView {
  /** The one in which something was said last first. */
  readonly conversations: readonly ConversationSummary[];
  /** Are there others, in which something was said longer ago? */
  readonly more: boolean;
  readonly loaded: boolean;
  /** The last reading had no answer to rely on. */
  readonly failing: boolean;
}

type Talk = Pick<ConversationSummary, "lastMessage" | "waitingSince">;

/** How often to read again what nobody tells us, and after a reading that failed. */
export const REFRESH_MS = 10_000;

const KEY = "conversations";

export class Conversations {
  readonly #client: Client;
  /** The one in which something was said last is the last. */
  #talks = new Map<string, Talk>();
  /** Told since the newest reading began, whose answer may be older; null while there is none. */
  #meanwhile: ChatMessage[] | null = null;
  /** What asks for the next page. */
  #before: number | undefined;
  #loaded = false;
  #failing = false;
  /** Is everything told since it was read? */
  #fresh = false;
  /** Names the newest reading; the answer to an older one is nobody's. */
  #reading = 0;
  #readers = 0;
  #userId: string | undefined;
  #timer: unknown = null;
  #view: ConversationsView | null = null;

  constructor(client: Client) {
    this.#client = client;
    this.#userId = client.userId() ?? undefined;
    // Before our own tap: it has a state when we look for it.
    latestOf(client);
    client.tap({
      frame: (frame) => this.#take(frame),
      message: (frame) => {
        if (frame.type === "CHAT_MESSAGE") this.said(frame);
      },
      up: ({ userId }) => {
        if (userId !== this.#userId) this.#forget();
        this.#userId = userId;
        void this.refresh();
      },
      down: () => (this.#fresh = false),
      stop: () => this.#rest(),
    });
  }

  readonly view = (): ConversationsView => {
    this.#view ??= {
      conversations: [...this.#talks].reverse().flatMap(([id, talk]) => {
        const state = latestOf(this.#client).get("CONVERSATION_UPDATE", id);
        return state === null ? [] : [{ id, state, ...talk }];
      }),
      more: this.#before !== undefined,
      loaded: this.#loaded,
      failing: this.#failing,
    };
    return this.#view;
  };

  readonly watch = (wake: () => void): (() => void) => {
    const stop = this.#client.watch(KEY, wake);
    this.#readers += 1;
    // Before that the connection's beginning is what reads.
    if (!this.#fresh && "via" in this.#client.status()) void this.refresh();
    return () => {
      this.#readers -= 1;
      if (this.#readers === 0) this.#rest();
      stop();
    };
  };

  /** What was said last in a conversation, as far as is known. */
  last(id: string): ChatMessage | null {
    return this.#talks.get(id)?.lastMessage ?? null;
  }

  /** Read the list anew. */
  readonly refresh = (): Promise<void> => {
    this.#reading += 1;
    this.#fresh = this.#readers > 0;
    this.#meanwhile = [];
    return this.#read("", (page) => {
      this.#talks = new Map(page);
      for (const message of this.#meanwhile ?? []) this.#follow(message);
      this.#meanwhile = null;
      this.#loaded = true;
    });
  };

  /** Read those in which something was said longer ago. */
  readonly earlier = async (): Promise<void> => {
    if (this.#before === undefined) return;
    await this.#read(`?before=${this.#before}`, (page) => {
      this.#talks = new Map([...page.filter(([id]) => !this.#talks.has(id)), ...this.#talks]);
    });
  };

  /** Something was said: told by the connection, or in an answer of the service. */
  said(message: ChatMessage): void {
    this.#meanwhile?.push(message);
    this.#follow(message);
    this.#changed();
  }

  async #read(query: string, learn: (page: readonly (readonly [string, Talk])[]) => void): Promise<void> {
    if (this.#readers === 0) return;
    const reading = this.#reading;
    try {
      const page = (await this.#client.request(`/api/conversations${query}`)).body as ConversationsPage;
      if (reading !== this.#reading) return;
      for (const { state } of page.conversations) latestOf(this.#client).learn(state);
      const talks = page.conversations.map(({ state, lastMessage, waitingSince }) => {
        return [state.conversationId, { lastMessage, waitingSince: waitingSince ?? null }] as const;
      });
      learn(talks.reverse());
      this.#before = page.before;
      this.#failing = false;
    } catch {
      if (reading !== this.#reading) return;
      this.#failing = true;
    }
    this.#changed();
    this.#rest();
    if (this.#readers === 0 || (!this.#failing && overSocket(this.#client.status()))) return;
    this.#timer = this.#client.clock.setTimeout(() => void this.refresh(), REFRESH_MS);
  }

  #take(frame: ServerFrame): void {
    if (frame.type === "CONVERSATION_UPDATE") this.#changed();
    if (frame.type !== "RESET") return;
    this.#forget();
    void this.refresh();
  }

  /** Put a conversation in which something was said to the end, unless what is known is newer. */
  #follow(message: ChatMessage): void {
    const { conversationId: id, from, timestamp, messageId } = message;
    const known = this.#talks.get(id);
    if (known !== undefined) {
      const { lastMessage } = known;
      if (lastMessage.timestamp > timestamp || lastMessage.messageId === messageId) return;
    }
    this.#talks.delete(id);
    const waitingSince = from === id ? (known?.waitingSince ?? timestamp) : null;
    this.#talks.set(id, { lastMessage: message, waitingSince });
  }

  #forget(): void {
    this.#reading += 1;
    this.#talks = new Map();
    this.#meanwhile = null;
    this.#before = undefined;
    this.#loaded = this.#failing = this.#fresh = false;
    this.#changed();
  }

  #rest(): void {
    this.#client.clock.clearTimeout(this.#timer);
  }

  #changed(): void {
    this.#view = null;
    this.#client.touch(KEY);
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Conversations>();

/** What a client has been told since this was first called for it. */
export function conversationsOf(client: Client): Conversations {
  const conversations = all.get(client) ?? new Conversations(client);
  all.set(client, conversations);
  return conversations;
}
