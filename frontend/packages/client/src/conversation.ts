/**
 * One conversation with the support team: what was said, what is being sent, and how it stands.
 *
 * Messages are in the order in which they were stored, the same for everybody. What is said here is shown at once, and
 * stays with its id until the stored message with that id takes its place.
 */
import type { Client } from "./client.js";
import { type CommandError, give } from "./commands.js";
import { type Conversations, conversationsOf } from "./conversations.js";
import type { ChatMessage, ConversationUpdate, Said, SentMessage, ServerFrame } from "./frames.js";
import { latestOf } from "./latest.js";
import { HttpError } from "./rest.js";
import { Typing } from "./typing.js";

export interface Outgoing {
  readonly id: string;
  readonly message: string;
  readonly failed: boolean;
  /** Why it failed: refused, or `UNANSWERED`. */
  readonly error: CommandError | null;
}

export interface ConversationView {
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Said here, not stored yet as far as we know. */
  readonly outgoing: readonly Outgoing[];
  /** Unread counts, marks, and who has taken it; null before anything was said. */
  readonly state: ConversationUpdate | null;
  /** Who else is writing; null for nobody. */
  readonly typing: string | null;
  /** Are there earlier messages than those? */
  readonly more: boolean;
  readonly loaded: boolean;
  /** Messages could not be read: `reload` tries again, and so does the next connection. */
  readonly failing: boolean;
}

const NOTHING: ConversationView = {
  messages: [],
  outgoing: [],
  state: null,
  typing: null,
  more: false,
  loaded: false,
  failing: false,
};

export class Conversation {
  readonly #client: Client;
  /** Null for the signed-in traveller's own. */
  readonly #named: string | null;
  readonly #key: string;
  readonly #list: Conversations;
  #userId: string | null;
  #messages: readonly ChatMessage[] = [];
  #outgoing: readonly Outgoing[] = [];
  #more = false;
  #loaded = false;
  #failing = false;
  /** Is everything there that was told since it was read? */
  #fresh: "no" | "asked" | "yes" = "no";
  /** Names the newest reading; the answer to an older one is nobody's. */
  #reading = 0;
  #readers = 0;
  readonly #typing: Typing;
  #view: ConversationView | null = null;

  constructor(client: Client, named: string | null) {
    this.#client = client;
    this.#named = named;
    this.#key = `conversation ${named ?? ""}`;
    this.#userId = client.userId();
    this.#typing = new Typing(client, () => this.#changed());
    // Before our own tap: it has what comes with a frame when we look for it.
    this.#list = conversationsOf(client);
    client.tap({
      frame: (frame) => this.#take(frame),
      message: (frame) => {
        if (frame.type === "CHAT_MESSAGE" && frame.conversationId === this.#id()) this.#add([frame]);
      },
      up: ({ userId, resumed }) => {
        // What one person said and read is not for whoever signs in after them.
        if (userId !== undefined && userId !== this.#userId) this.#forget();
        this.#userId = userId ?? this.#userId;
        if (resumed !== true) this.#fresh = "no";
        void this.#load();
      },
    });
  }

  readonly view = (): ConversationView => {
    const id = this.#id();
    if (id === null) return NOTHING;
    const state = latestOf(this.#client).get("CONVERSATION_UPDATE", id);
    if (this.#view?.state !== state) this.#view = null;
    this.#view ??= {
      messages: this.#messages,
      outgoing: this.#outgoing,
      state,
      typing: this.#typing.who,
      more: this.#more,
      loaded: this.#loaded,
      failing: this.#failing,
    };
    return this.#view;
  };

  readonly watch = (wake: () => void): (() => void) => {
    const unwatch = [
      this.#client.watch(this.#key, wake),
      // It reads how conversations stand, for all of them.
      this.#list.watch(() => {
        this.#compare();
        wake();
      }),
    ];
    this.#readers += 1;
    void this.#load();
    return () => {
      this.#readers -= 1;
      if (this.#readers === 0) this.#typing.stop();
      for (const stop of unwatch) stop();
    };
  };

  /** Say something. Resolves to whether it was stored; what was not can be said `again`. */
  readonly say = (message: string): Promise<boolean> => {
    return this.#send({ id: this.#client.mark(), message, failed: false, error: null });
  };

  readonly again = async (id: string): Promise<boolean> => {
    const found = this.#outgoing.find((one) => one.id === id);
    return found === undefined ? false : this.#send({ ...found, failed: false, error: null });
  };

  /** Give up what failed. */
  readonly drop = (id: string): void => {
    this.#outgoing = this.#outgoing.filter((one) => one.id !== id || !one.failed);
    this.#changed();
  };

  /** The person is writing: tell the other side, now and then. */
  readonly type = (): void => this.#typing.tell(this.#named ?? "support");

  /** Mark everything up to the last message as delivered or read, if it is not. */
  readonly mark = (mark: "delivered" | "read"): void => {
    const conversationId = this.#id();
    const messageId = this.#messages.at(-1)?.messageId;
    if (conversationId === null || messageId === undefined) return;
    const userId = this.#client.userId();
    const side = conversationId === userId ? "traveller" : "support";
    if (userId !== null && this.view().state?.[mark][side] === messageId) return;
    const body = { messageId, mark };
    const route = { method: "POST", path: `${this.#path()}/marks`, body };
    give(this.#client, { type: "CHAT_MARK", conversationId, ...body }, route).then(
      (answer) => this.#learn(answer),
      () => undefined,
    );
  };

  /** Look after this conversation (role `support`). Rejects with `CommandError`: `CONFLICT` where another agent has it. */
  readonly take = (): Promise<void> => this.#hold("CHAT_TAKE", "PUT");

  readonly release = (): Promise<void> => this.#hold("CHAT_RELEASE", "DELETE");

  /** Load earlier messages. */
  readonly earlier = (): Promise<void> => this.#load(this.#messages[0]?.messageId);

  /** Read the last messages again. */
  readonly reload = (): Promise<void> => {
    this.#fresh = "no";
    return this.#load();
  };

  #id(): string | null {
    return this.#named ?? this.#client.userId();
  }

  #path(): string {
    return `/api/conversations/${encodeURIComponent(this.#named ?? "support")}`;
  }

  #take(frame: ServerFrame): void {
    if (frame.type === "RESET") {
      this.#forget();
      void this.#load();
    }
    const typing = frame.type === "CHAT_TYPING" && frame.conversationId === this.#id();
    if (typing && this.#readers > 0) this.#typing.heard(frame.from);
  }

  async #send(one: Outgoing): Promise<boolean> {
    const { id, message } = one;
    this.#put(one);
    this.#typing.said();
    try {
      const route = { method: "POST", path: `${this.#path()}/messages`, body: { message, id } };
      const command = { type: "CHAT_MESSAGE", to: this.#named ?? "support", message, id } as const;
      const answer = await give(this.#client, command, route);
      const stored = "type" in answer ? answer : answer.message;
      if (stored.type === "CHAT_MESSAGE") {
        this.#list.said(stored);
        this.#add([stored]);
      }
      return true;
    } catch (error) {
      this.#put({ ...one, failed: true, error: error as CommandError });
      return false;
    }
  }

  async #hold(type: "CHAT_TAKE" | "CHAT_RELEASE", method: string): Promise<void> {
    const conversationId = this.#id();
    if (conversationId === null) return;
    this.#learn(await give(this.#client, { type, conversationId }, { method, path: `${this.#path()}/agent` }));
  }

  /** What the service answered to a command is news where there is no WebSocket to tell it. */
  #learn(answer: ServerFrame | SentMessage): void {
    if ("type" in answer) latestOf(this.#client).learn(answer);
    this.#changed();
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
    if (!earlier && fresh.some(({ from }) => from === this.#typing.who)) this.#typing.stop();
    this.#changed();
  }

  /** Read the last messages, or those before one. */
  async #load(before?: string): Promise<void> {
    const last = before === undefined;
    if (this.#readers === 0 || this.#id() === null || (last && this.#fresh !== "no")) return;
    if (last) {
      this.#fresh = "asked";
      this.#reading += 1;
    }
    const reading = this.#reading;
    try {
      const query = last ? "" : `?before=${encodeURIComponent(before)}`;
      const { body } = await this.#client.request(`${this.#path()}/messages${query}`);
      if (reading !== this.#reading) return;
      const { messages, more } = body as Said;
      // Whatever came live meanwhile is newer than what was read, or in it.
      const end = messages.at(-1)?.timestamp ?? "";
      const live = last ? this.#messages.filter(({ timestamp }) => timestamp >= end) : [];
      if (last) this.#messages = [];
      this.#add(messages, !last);
      this.#add(live);
      this.#more = more;
      this.#failing = false;
    } catch (error) {
      if (reading !== this.#reading) return;
      // 404: nothing was said in it yet.
      this.#failing = !(error instanceof HttpError && error.status === 404);
    }
    if (last) {
      this.#fresh = this.#failing ? "no" : "yes";
      this.#loaded ||= !this.#failing;
    }
    this.#changed();
  }

  /** The list may know of a message that nobody told us of, where there is no WebSocket. */
  #compare(): void {
    const last = this.#list.last(this.#id() ?? "")?.messageId;
    if (this.#fresh !== "yes" || last === undefined) return;
    if (!this.#messages.some(({ messageId }) => messageId === last)) void this.reload();
  }

  #forget(): void {
    this.#reading += 1;
    this.#messages = [];
    this.#outgoing = [];
    this.#fresh = "no";
    this.#more = this.#loaded = this.#failing = false;
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
