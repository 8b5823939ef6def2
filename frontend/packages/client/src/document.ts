/** The text fields of one shared document, as DOCUMENT_EDIT tells and sets them. */
import type { Client } from "./client.js";
import { ask } from "./commands.js";
import type { DocumentEdit } from "./frames.js";

export interface DocumentField {
  readonly value: string;
  /** The document's when this field was last changed, and by whom. */
  readonly version: number;
  readonly userId: string;
  readonly timestamp: string;
}

export interface DocumentView {
  readonly fields: Readonly<Record<string, DocumentField>>;
  readonly version: number;
  readonly loaded: boolean;
}

const NONE: DocumentView = { fields: {}, version: 0, loaded: false };

export class SharedDocument {
  readonly #client: Client;
  readonly #id: string;
  readonly #key: string;
  #view = NONE;
  #reading = false;
  #again = false;

  constructor(client: Client, id: string) {
    this.#client = client;
    this.#id = id;
    this.#key = `document ${id}`;
    client.tap({
      message: (frame) => {
        if (frame.type === "DOCUMENT_EDIT" && frame.documentId === id) this.#take(frame);
      },
      // Not before: what changes until we are followers would be told to nobody.
      frame: (frame) => {
        if (frame.type === "RESET") this.#show(NONE);
        if (frame.type === "SUBSCRIBED" && frame.channel === `document:${id}`) void this.#read();
      },
    });
  }

  readonly view = (): DocumentView => this.#view;

  readonly watch = (wake: () => void): (() => void) => {
    const stops = [this.#client.watch(this.#key, wake), this.#client.follow(`document:${this.#id}`)];
    return () => {
      for (const stop of stops) stop();
    };
  };

  /**
   * Set a field, unless somebody else has changed it since what is shown here. Rejects with `CommandError`: code
   * `CONFLICT`, and the present value in `details`, when somebody has.
   */
  readonly edit = async (field: string, value: string): Promise<void> => {
    const { version } = this.#view;
    const changes = { field, value };
    const answer = await ask(this.#client, { type: "DOCUMENT_EDIT", documentId: this.#id, changes, baseVersion: version });
    if (answer.type === "DOCUMENT_EDIT") this.#take(answer);
  };

  #take({ changes: { field, value }, version, userId, timestamp }: DocumentEdit): void {
    if (version <= this.#view.version || !this.#view.loaded) return;
    // Versions have no gaps: one that is missing has to be read.
    if (version > this.#view.version + 1) void this.#read();
    else this.#show({ ...this.#view, version, fields: { ...this.#view.fields, [field]: { value, version, userId, timestamp } } });
  }

  async #read(): Promise<void> {
    this.#again = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    try {
      const { body } = await this.#client.request(`/api/documents/${encodeURIComponent(this.#id)}`);
      const { fields, version } = body as DocumentView;
      if (version >= this.#view.version) this.#show({ fields, version, loaded: true });
    } catch {
      // The next connection, or the next gap, tries again.
    }
    this.#reading = false;
    if (this.#again) void this.#read();
  }

  #show(view: DocumentView): void {
    this.#view = view;
    this.#client.touch(this.#key);
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Map<string, SharedDocument>>();

export function documentOf(client: Client, id: string): SharedDocument {
  const known = all.get(client) ?? new Map<string, SharedDocument>();
  all.set(client, known);
  const document = known.get(id) ?? new SharedDocument(client, id);
  known.set(id, document);
  return document;
}
