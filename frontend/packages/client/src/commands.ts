/** What a client asks for on the socket and waits for: each command has an id, and its answer has the same. */
import type { Client } from "./client.js";
import type { ClientFrame, Problem, SentMessage, ServerFrame } from "./frames.js";
import { HttpError } from "./rest.js";
import { overSocket } from "./status.js";

/** How long a command waits for its answer, reconnections included. */
export const COMMAND_MS = 30_000;

type WithoutId<Frame> = Frame extends unknown ? Omit<Frame, "id"> : never;
/** A frame to send, as it stands; its id is made here unless it brings one. */
export type Command = WithoutId<ClientFrame> & { readonly id?: string };

interface Pending {
  readonly frame: ClientFrame;
  sent: boolean;
  readonly settle: (answer: ServerFrame | Error) => void;
}

/** The gateway refused a command, with a code of CONTRACT 1; or `UNANSWERED`: it may have been done or not. */
export class CommandError extends Error {
  readonly code: string;
  /** How long to wait before asking again, where the gateway said so. */
  readonly retryAfterMs: number | undefined;
  /** The tour service's own code, and the figures or values behind a refusal. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, retryAfterMs?: number, details = {}) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.details = details;
  }
}

/** By the statuses of the tour service, the codes in which a gateway tells the same. */
const CODES: Readonly<Record<number, string>> = {
  400: "INVALID_MESSAGE",
  401: "UNAUTHENTICATED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
  413: "INVALID_MESSAGE",
  429: "RATE_LIMITED",
};

const unanswered = (): CommandError => new CommandError("UNANSWERED", "no answer");

class Commands {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  constructor(client: Client) {
    this.#client = client;
    // Unlike those of any other page, because the same id has one effect.
    this.#prefix = client.mark();
    client.tap({
      frame: (frame) => this.#take(frame),
      up: () => this.#up(),
      down: () => this.#down(),
      stop: () => {
        for (const pending of [...this.#pending.values()]) pending.settle(unanswered());
      },
    });
  }

  ask(command: Command): Promise<ServerFrame> {
    const id = command.id ?? `${this.#prefix}-${(this.#count += 1)}`;
    return new Promise((resolve, reject) => {
      const settle = (answer: ServerFrame | Error): void => {
        this.#client.clock.clearTimeout(timer);
        this.#pending.delete(id);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const timer = this.#client.clock.setTimeout(() => settle(unanswered()), COMMAND_MS);
      const frame = { ...command, id } as ClientFrame;
      this.#pending.set(id, { frame, settle, sent: this.#client.send(frame) });
    });
  }

  #take(frame: ServerFrame): void {
    const { id } = frame as { readonly id?: string | number };
    const pending = this.#pending.get(String(id));
    if (pending === undefined) return;
    if (frame.type !== "ERROR") pending.settle(frame);
    else pending.settle(new CommandError(frame.code, frame.message, frame.retryAfterMs, frame.details));
  }

  #up(): void {
    for (const pending of [...this.#pending.values()]) pending.sent ||= this.#client.send(pending.frame);
  }

  /** What was sent may have arrived or not, and is sent again: the same id has one effect. */
  #down(): void {
    for (const pending of this.#pending.values()) pending.sent = false;
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Commands>();

/**
 * Send a command, now or once there is a WebSocket, and resolve to its answer.
 *
 * After a break it is sent again with the same id, which has one effect. Rejects with `CommandError` when the answer
 * is an ERROR, or when there is none in time.
 */
export async function ask(client: Client, command: Command): Promise<ServerFrame> {
  const commands = all.get(client) ?? new Commands(client);
  all.set(client, commands);
  const release = client.retain();
  try {
    return await commands.ask(command);
  } finally {
    release();
  }
}

/** Where the tour service takes the same as a command. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

/**
 * Give a command over the WebSocket, or where those are blocked to the tour service: the same mark has one effect there
 * too. Rejects with `CommandError` in both cases.
 */
export async function give(client: Client, command: Command, route: Route): Promise<ServerFrame | SentMessage> {
  if (overSocket(client.status())) return ask(client, command);
  const { method, path, body } = route;
  try {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return (await client.request(path, init)).body as ServerFrame | SentMessage;
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): CommandError {
  const code = error instanceof HttpError ? CODES[error.status] : undefined;
  if (!(error instanceof HttpError) || code === undefined) return unanswered();
  const { error: message, code: own, details } = (error.body ?? {}) as Partial<Problem>;
  return new CommandError(code, message ?? code, undefined, { code: own, ...details });
}
