/**
 * One shared text over y-websocket: what is written here, how much of it is stored, and who else is there.
 *
 * When to connect is decided here. y-websocket would come back every few seconds for ever: to a gateway that has said
 * that there are too many, and with a message that is too large.
 */
import { Backoff } from "@seatcast/client";
import { readVarUint } from "lib0/decoding";
import { WebsocketProvider } from "y-websocket";
import { Doc, type Text, UndoManager } from "yjs";
import { colourOf } from "./colour";
import { type Awareness, peopleIn, type Person } from "./company";
import { type Ending, endingOf } from "./endings";
import { Saved } from "./saved";

/** The kind of the gateway's message that says how many updates are stored. */
const SAVED = 100;
/** How long to wait for a connection, and for the text over it, before trying another. */
const PATIENCE_MS = 15_000;
/** A connection that has lasted this long has proven that there is no need to wait before the next one. */
const STABLE_MS = 10_000;

export interface TextState {
  /**
   * `opening`: nothing is known of the text yet. `saved` and `saving`: connected, and everything written here is stored or
   * not yet. `offline`: it will come back. The others are ends (`Ending`) that wait for a person.
   */
  readonly kind: "opening" | "saved" | "saving" | "offline" | Exclude<Ending, "comeBack">;
  /** The text has been read. */
  readonly loaded: boolean;
  /** Something was written here of which nobody has said that it is stored. */
  readonly unsaved: boolean;
}

export interface TextParts {
  readonly documentId: string;
  readonly field: string;
  /** Whose name the others see. */
  readonly name: string;
  /** Where the gateway is. */
  readonly gateway: () => Promise<string>;
  /** Asked at each connection. */
  readonly token: () => string;
  readonly random?: () => number;
  readonly WebSocket?: typeof WebSocket;
}

export class SharedText {
  readonly text: Text;
  /** Of what is written here alone. */
  readonly undo: UndoManager;
  readonly awareness: Awareness;
  readonly #parts: TextParts;
  readonly #doc = new Doc();
  readonly #provider: WebsocketProvider;
  readonly #saved = new Saved();
  readonly #backoff: Backoff;
  readonly #watching = new Set<() => void>();
  #state: TextState = { kind: "opening", loaded: false, unsaved: false };
  #people: readonly Person[];
  #ending: Ending = "comeBack";
  #loaded = false;
  #failed = false;
  /** What the connection was opened with. */
  #token = "";
  #attempts = 0;
  /** When the next connection is made; or, while there is one without the text, when that is given up. */
  #next: ReturnType<typeof setTimeout> | undefined;
  #stable: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: TextParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random ?? Math.random);
    this.text = this.#doc.getText(parts.field);
    // The text box adds itself: what comes from elsewhere is not tracked.
    this.undo = new UndoManager(this.text, { trackedOrigins: new Set() });
    const provider = new WebsocketProvider("ws://not-known-yet", parts.documentId, this.#doc, {
      connect: false,
      // Another tab is another client: it too sees only what is stored.
      disableBc: true,
      params: { saved: "1" },
      ...(parts.WebSocket === undefined ? {} : { WebSocketPolyfill: parts.WebSocket }),
    });
    this.#provider = provider;
    this.awareness = provider.awareness;
    this.awareness.setLocalStateField("user", { name: parts.name, color: colourOf(parts.name) });
    this.#people = peopleIn(this.awareness);
    this.awareness.on("change", this.#meet);
    this.#doc.on("update", (_update: Uint8Array, origin: unknown) => {
      if (origin === provider) return;
      this.#saved.wrote(provider.wsconnected);
      this.#say();
    });
    provider.messageHandlers[SAVED] = (_encoder, decoder) => {
      this.#saved.told(readVarUint(decoder));
      this.#say();
    };
    provider.on("sync", (synced: boolean) => {
      if (synced) this.#synced();
    });
    provider.on("connection-close", this.#closed);
    window.addEventListener("online", this.#wake);
    window.addEventListener("offline", this.#cut);
    document.addEventListener("visibilitychange", this.#wake);
    void this.#connect();
  }

  readonly state = (): TextState => this.#state;
  /** Everybody who is here; only oneself without a connection. */
  readonly people = (): readonly Person[] => this.#people;

  readonly watch = (wake: () => void): (() => void) => {
    this.#watching.add(wake);
    return () => this.#watching.delete(wake);
  };

  /** Connect now: a person asked, or there is a reason to hope. */
  readonly retry = (): void => {
    if (this.#provider.ws !== null) return;
    this.#ending = "comeBack";
    this.#say();
    void this.#connect();
  };

  /** There may be another token now. */
  readonly renew = (): void => {
    if (this.#ending === "signedOut" && this.#parts.token() !== this.#token) this.retry();
  };

  /** Let go of everything, also of what is not stored. */
  end(): void {
    this.#attempts += 1;
    clearTimeout(this.#next);
    clearTimeout(this.#stable);
    window.removeEventListener("online", this.#wake);
    window.removeEventListener("offline", this.#cut);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#watching.clear();
    this.awareness.off("change", this.#meet);
    // It closes the connection, and nothing is to come after that one.
    this.#provider.off("connection-close", this.#closed);
    this.#provider.destroy();
    this.undo.destroy();
    this.#doc.destroy();
  }

  // The connection

  async #connect(): Promise<void> {
    clearTimeout(this.#next);
    const attempt = (this.#attempts += 1);
    const gateway = await this.#parts.gateway();
    if (attempt !== this.#attempts) return;
    this.#token = this.#parts.token();
    this.#provider.serverUrl = new URL("documents", gateway).href;
    // A token in the address would end in logs.
    this.#provider.protocols = ["seatcast", `bearer.${this.#token}`];
    this.#provider.connect();
    this.#next = setTimeout(this.#cut, PATIENCE_MS);
  }

  #synced(): void {
    this.#loaded = true;
    clearTimeout(this.#next);
    clearTimeout(this.#stable);
    this.#stable = setTimeout(() => this.#backoff.reset(), STABLE_MS);
    this.#say();
  }

  readonly #closed = (event: CloseEvent | null): void => {
    this.#provider.shouldConnect = false;
    clearTimeout(this.#next);
    clearTimeout(this.#stable);
    this.#saved.begin();
    this.#failed = true;
    const ending = endingOf(event?.code ?? 1006);
    const renewed = ending === "signedOut" && this.#parts.token() !== this.#token;
    this.#ending = renewed ? "comeBack" : ending;
    if (this.#ending === "comeBack") {
      // y-websocket is still letting go of the old connection.
      this.#next = setTimeout(() => void this.#connect(), renewed ? 0 : this.#backoff.next());
    }
    // Its `synced` is false a moment later.
    queueMicrotask(this.#say);
  };

  /** Give the connection up. It would find out late that there is no network, and stand in the way of the next one. */
  readonly #cut = (): void => {
    const { ws } = this.#provider;
    ws?.onclose?.(new CloseEvent("close", { code: 1006 }));
  };

  /** There is a network again, or somebody who looks. Ends wait for a person. */
  readonly #wake = (): void => {
    if (document.visibilityState === "visible" && this.#ending === "comeBack") this.retry();
  };

  // Telling

  readonly #meet = (): void => {
    const people = peopleIn(this.awareness);
    // Cursors move with every letter: nobody has come or gone.
    if (JSON.stringify(people) === JSON.stringify(this.#people)) return;
    this.#people = people;
    this.#wakeAll();
  };

  readonly #say = (): void => {
    const { unsaved } = this.#saved;
    const next: TextState = { kind: this.#kind(unsaved), loaded: this.#loaded, unsaved };
    const { kind, loaded } = this.#state;
    if (next.kind === kind && next.loaded === loaded && next.unsaved === this.#state.unsaved) return;
    this.#state = next;
    this.#wakeAll();
  };

  #kind(unsaved: boolean): TextState["kind"] {
    if (this.#ending !== "comeBack") return this.#ending;
    if (this.#provider.synced) return unsaved ? "saving" : "saved";
    return this.#failed ? "offline" : "opening";
  }

  #wakeAll(): void {
    for (const wake of [...this.#watching]) wake();
  }
}
