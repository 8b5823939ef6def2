/** Messages for handlers: each is handed to each handler of its type exactly once, at once, in order. */
import type { ServerFrame } from "./frames.js";

type Handler = (frame: ServerFrame) => void;

/** Ids to remember. A server repeats what it is not sure that we had, which is little. */
export const SEEN_LIMIT = 1_000;

export class Messages {
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #seen = new Set<string>();
  /** The last message of each stream, which a new connection goes on from. */
  readonly #last = new Map<string, string>();
  /** Since when this user has been told messages, which says where to go on in a stream that had none. */
  #began = "";

  on(type: string, handler: Handler): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    // A function of its own for each listener: the same handler twice is two listeners.
    const own: Handler = (frame) => handler(frame);
    this.#handlers.set(type, handlers.add(own));
    return () => void handlers.delete(own);
  }

  /** A connection of the user begins, at this moment of the server's. */
  begin(serverTime: string): void {
    this.#began ||= serverTime;
  }

  /** Where to go on from, for `?since=`: the last message of each stream, and the moment for those that had none. */
  since(): string {
    const last = [...this.#last.values()];
    return (this.#began === "" || last.length > 1 ? last : [...last, this.#began]).join(",");
  }

  /** Somebody else is signed in: their messages are other ones. */
  forget(): void {
    this.#last.clear();
    this.#began = "";
  }

  /** Hand a frame to its handlers; false when it has been here before. `userId` is whom the connection is for. */
  take(frame: ServerFrame, userId: string | undefined): boolean {
    const { messageId, eventId, conversationId } = frame as {
      readonly messageId?: unknown;
      readonly eventId?: unknown;
      readonly conversationId?: unknown;
    };
    const id = messageId ?? eventId;
    if (typeof id === "string") {
      if (this.#seen.has(id)) return false;
      this.#seen.add(id);
      for (const oldest of this.#seen) {
        if (this.#seen.size <= SEEN_LIMIT) break;
        this.#seen.delete(oldest);
      }
      // The support team follows every conversation in one stream, apart from what is for each of them alone.
      const ofSupport = conversationId !== undefined && conversationId !== userId;
      if (id === messageId) this.#last.set(ofSupport ? "support" : "user", id);
    }
    for (const handler of [...(this.#handlers.get(frame.type) ?? [])]) {
      try {
        handler(frame);
      } catch (error) {
        // One handler's fault is not the others', nor the connection's: the page hears of it all the same.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return true;
  }
}
