/** What tests hand to a shared text in place of a WebSocket: its other end is the test, which speaks as a gateway does. */
import { applyUpdate, type Doc, encodeStateAsUpdate } from "yjs";

export class FakeSocket {
  readonly OPEN = 1;
  readyState = 0;
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { readonly code: number }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  readonly url: string;
  readonly protocols: readonly string[];

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  // What the test does

  letIn(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  /** Answer what the client lacks, and ask what it has. */
  sync(stored: Doc): void {
    this.#says(0, 1, ...sized(encodeStateAsUpdate(stored)));
    this.#says(0, 0, ...sized(new Uint8Array([0])));
  }

  /** An update that somebody brought and that is stored. */
  tell(update: Uint8Array): void {
    this.#says(0, 2, ...sized(update));
  }

  saved(updates: number): void {
    this.#says(100, updates);
  }

  /** Somebody else is here. */
  presence(client: number, clock: number, state: unknown): void {
    const written = new TextEncoder().encode(JSON.stringify(state));
    this.#says(1, ...sized(new Uint8Array([1, client, clock, ...sized(written)])));
  }

  ends(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** Take what was brought so far into a document, as the service would. */
  store(into: Doc): void {
    for (const message of this.sent.splice(0)) {
      if (message[0] === 0 && (message[1] === 1 || message[1] === 2)) applyUpdate(into, message.slice(3));
    }
  }

  #says(...bytes: number[]): void {
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }
}

/** Bytes behind their length, which is small in tests. */
function sized(bytes: Uint8Array): number[] {
  if (bytes.length > 127) throw new Error("too much for one byte of length");
  return [bytes.length, ...bytes];
}
