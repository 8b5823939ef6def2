/**
 * One conversation with the support team: what was said, what is being sent, and how it stands.
 *
 * Messages are in the order in which they were stored, the same for everybody. What is said here is shown at once, and
 * stays with its id until the stored message with that id takes its place.
 */
import type { Client } from "./client.js";
import { ask } from "./commands.js";
import type { ChatMessage, ConversationUpdate, ServerFrame } from "./frames.js";
import { latestOf } from "./latest.js";
import { HttpError } from "./rest.js";

export interface Outgoing {
  readonly id: string;
  readonly message: string;
  readonly failed: boolean;
}

export interface ConversationView {
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Said here, not stored yet as far as we know. */
  readonly outgoing: readonly Outgoing[];
  /** Unread counts, marks, and who has taken it; null before anything was said. */
  readonly state: ConversationUpdate | null;
  /** Is the other side writing? */
  readonly typing: boolean;
  /** Are there earlier messages than those? */
  readonly more: boolean;
  readonly loaded: boolean;
}

/** How conversations stand, as `GET /api/conversations` says: the traveller's own, or all for an agent. */
interface Stands {
  readonly conversations: readonly { readonly state: ConversationUpdate }[];
}

/** After a CHAT_TYPING somebody counts as writing for so long, and says so again after half of it. */
export const TYPING_MS = 5_000;

export class Conversation {
  readonly #client: Client;
  /** Null for the signed-in traveller's own. */
  readonly #named: string | null;
  readonly #key: string;
  #messages: readonly ChatMessage[] = [];
  #outgoing: readonly Outgoing[] = [];
  #more = false;
  #loaded = false;
  #readers = 0;
  #typing: unknown = null;
  #typedAt = Number.NEGATIVE_INFINITY;
  #view: ConversationView | null = null;

  constructor(client: Client, named: string | null) {
    this.#client = client;
    this.#named = named;
    this.#key = `conversation ${named ?? ""}`;
    // Before our own tap: it has a frame when we look for it.
    latestOf(client);
    client.tap({
      frame: (frame) => this.#take(frame),
      message: (frame) => {
        if (frame.type === "CHAT_MESSAGE" && frame.conversationId === this.#id()) this.#add([frame]);
      },
      up: ({ resumed }) => {
        if (resumed !== true) this.#loaded = false;
        void this.#load();
      },
    });
  }

  readonly view = (): ConversationView => {
    const id = this.#id();
    this.#view ??= {
      messages: this.#messages,
      outgoing: this.#outgoing,
      state: id === null ? null : latestOf(this.#client).get("CONVERSATION_UPDATE", id),
      typing: this.#typing !== null,
      more: this.#more,
      loaded: this.#loaded,
    };
    return this.#view;
  };

  readonly watch = (wake: () => void): (() => void) => {
    const stop = this.#client.watch(this.#key, wake);
    this.#readers += 1;
    void this.#load();
    return () => {
      this.#readers -= 1;
      if (this.#readers === 0) this.#stopTyping();
      stop();
    };
  };

  /** Say something. Resolves to whether it was stored; what was not can be said `again`. */
  readonly say = (message: string): Promise<boolean> => this.#send({ id: this.#client.mark(), message, failed: false });

  readonly again = async (id: string): Promise<boolean> => {
    const found = this.#outgoing.find((one) => one.id === id);
    return found === undefined ? false : this.#send({ ...found, failed: false });
  };

  /** The person is writing: tell the other side, now and then. */
  readonly type = (): void => {
    const now = this.#client.clock.now();
    if (now - this.#typedAt < TYPING_MS / 2) return;
    this.#typedAt = now;
    this.#client.send({ type: "CHAT_TYPING", to: this.#named ?? "support" });
  };

  /** Mark everything up to the last message as delivered or read, if it is not. */
  readonly mark = (mark: "delivered" | "read"): void => {
    const conversationId = this.#id();
    const messageId = this.#messages.at(-1)?.messageId;
    if (conversationId === null || messageId === undefined) return;
    const side = conversationId === this.#client.userId() ? "traveller" : "support";
    if (this.view().state?.[mark][side] === messageId) return;
    void ask(this.#client, { type: "CHAT_MARK", conversationId, messageId, mark }).catch(() => undefined);
  };

  /** Load earlier messages. */
  readonly earlier = (): Promise<void> => this.#load(this.#messages[0]?.messageId);

  #id(): string | null {
    return this.#named ?? this.#client.userId();
  }

  #path(): string {
    return `/api/conversations/${encodeURIComponent(this.#named ?? "support")}`;
  }

  #take(frame: ServerFrame): void {
    if (frame.type === "RESET") {
      this.#messages = [];
      this.#loaded = false;
      void this.#load();
    }
    if (frame.type === "CONVERSATION_UPDATE" && frame.conversationId === this.#id()) this.#changed();
    if (frame.type !== "CHAT_TYPING" || frame.conversationId !== this.#id() || this.#readers === 0) return;
    if (frame.from === this.#client.userId()) return;
    this.#stopTyping();
    this.#typing = this.#client.clock.setTimeout(() => this.#stopTyping(), TYPING_MS);
    this.#changed();
  }

  #stopTyping(): void {
    if (this.#typing === null) return;
    this.#client.clock.clearTimeout(this.#typing);
    this.#typing = null;
    this.#changed();
  }

  async #send(one: Outgoing): Promise<boolean> {
    const { id, message } = one;
    this.#put(one);
    try {
      const status = this.#client.status();
      if ("via" in status && status.via !== "socket") {
        // The other ways carry nothing back; the service takes it as well, and the same id has one effect there too.
        const body = JSON.stringify({ message, id });
        const answer = await this.#client.request(`${this.#path()}/messages`, { method: "POST", body });
        this.#add([(answer.body as { readonly message: ChatMessage }).message]);
      } else {
        const answer = await ask(this.#client, { type: "CHAT_MESSAGE", to: this.#named ?? "support", message, id });
        if (answer.type === "CHAT_MESSAGE") this.#add([answer]);
      }
      return true;
    } catch {
      this.#put({ ...one, failed: true });
      return false;
    }
  }

  #put(one: Outgoing): void {
    const known = this.#outgoing.some(({ id }) => id === one.id);
    this.#outgoing = known ? this.#outgoing.map((old) => (old.id === one.id ? one : old)) : [...this.#outgoing, one];
    this.#changed();
  }

  /** Add messages to the end, or earlier ones to the beginning; none twice. */
  #add(messages: readonly ChatMessage[], earlier = false): void {
    const known = new Set(this.#messages.map(({ messageId }) => messageId));
    const fresh = messages.filter(({ messageId }) => messageId === undefined || !known.has(messageId));
    this.#messages = earlier ? [...fresh, ...this.#messages] : [...this.#messages, ...fresh];
    const stored = new Set(messages.map(({ id }) => id));
    this.#outgoing = this.#outgoing.filter(({ id }) => !stored.has(id));
    if (!earlier && fresh.some(({ from }) => from !== this.#client.userId())) this.#stopTyping();
    this.#changed();
  }

  /** Read the last messages, or those before one. */
  async #load(before?: string): Promise<void> {
    if (this.#readers === 0 || this.#id() === null || (this.#loaded && before === undefined)) return;
    this.#loaded = true;
    try {
      const path = `${this.#path()}/messages`;
      const { body } = await this.#client.request(before === undefined ? path : `${path}?before=${encodeURIComponent(before)}`);
      const { messages, more } = body as { readonly messages: readonly ChatMessage[]; readonly more: boolean };
      this.#more = more;
      if (before === undefined) {
        const states = (await this.#client.request("/api/conversations")).body as Stands;
        for (const { state } of states.conversations) latestOf(this.#client).learn(state);
        // Whatever came live meanwhile is newer than what was read, or in it.
        const live = this.#messages;
        const last = messages.at(-1)?.timestamp ?? "";
        this.#messages = [];
        this.#add(messages);
        this.#add(live.filter(({ timestamp }) => timestamp >= last));
      } else this.#add(messages, true);
    } catch (error) {
      // 404: nothing was said in it yet. Anything else is tried again at the next connection.
      this.#loaded = before !== undefined || (error instanceof HttpError && error.status === 404);
    }
    this.#changed();
  }

  #changed(): void {
    this.#view = null;
    this.#client.touch(this.#key);
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Map<string | null, Conversation>>();

/** A traveller's conversation, or with null the signed-in traveller's own. */
export function conversationOf(client: Client, named: string | null): Conversation {
  const known = all.get(client) ?? new Map<string | null, Conversation>();
  all.set(client, known);
  const conversation = known.get(named) ?? new Conversation(client, named);
  known.set(named, conversation);
  return conversation;
}
