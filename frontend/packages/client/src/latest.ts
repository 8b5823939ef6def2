/** The newest frame of each kind that is a whole truth by itself: a later one takes the place of the one before. */
import type { Client } from "./client.js";
import type { ServerFrame } from "./frames.js";
import type { FrameOf } from "./wire.js";

/** What tells apart the frames of a type: the name of a field, or "" where there is one truth for everybody. */
const KEYS = {
  METRICS_UPDATE: "",
  RANDOM_NUMBER: "",
  SUPPORT_PRESENCE: "",
  CONVERSATION_UPDATE: "conversationId",
  CHAT_TYPING: "conversationId",
  TOUR_DESCRIPTION: "tourId",
} as const satisfies Partial<Record<ServerFrame["type"], string>>;

export type LatestType = keyof typeof KEYS;

export class Latest {
  readonly #client: Client;
  readonly #frames = new Map<string, ServerFrame>();

  constructor(client: Client) {
    this.#client = client;
    client.tap({
      frame: (frame) => this.learn(frame),
      // Where nobody of the team is there, a new connection is told nothing of it.
      up: () => {
        if (this.#frames.delete("SUPPORT_PRESENCE ")) client.touch("SUPPORT_PRESENCE ");
      },
    });
  }

  get<Type extends LatestType>(type: Type, key = ""): FrameOf<Type> | null {
    return (this.#frames.get(`${type} ${key}`) as FrameOf<Type> | undefined) ?? null;
  }

  watch(type: LatestType, key: string, wake: () => void): () => void {
    return this.#client.watch(`${type} ${key}`, wake);
  }

  /** Join a frame, also one that came in an answer of the service. */
  learn(frame: ServerFrame): void {
    if (frame.type === "RESET") {
      for (const name of this.#frames.keys()) this.#client.touch(name);
      this.#frames.clear();
    }
    if (!Object.hasOwn(KEYS, frame.type)) return;
    const fields = frame as unknown as Readonly<Record<string, unknown>>;
    const name = `${frame.type} ${String(fields[KEYS[frame.type as LatestType]] ?? "")}`;
    const known = this.#frames.get(name) as { readonly version?: number } | undefined;
    if (known?.version !== undefined && known.version > Number(fields["version"])) return;
    this.#frames.set(name, frame);
    this.#client.touch(name);
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Latest>();

/** The newest frames that a client has had since this was first called for it: call it before it connects. */
export function latestOf(client: Client): Latest {
  const latest = all.get(client) ?? new Latest(client);
  all.set(client, latest);
  return latest;
}
