/** The public descriptions of tours: read when somebody looks and after each absence, then told as they change. */
import type { Client } from "./client.js";
import type { Tour } from "./frames.js";
import { latestOf } from "./latest.js";

export class Descriptions {
  readonly #client: Client;
  readonly #watched = new Map<string, number>();

  constructor(client: Client) {
    this.#client = client;
    latestOf(client);
    client.tap({
      up: () => {
        for (const tourId of this.#watched.keys()) void this.#read(tourId);
      },
    });
  }

  /** Null until it is known. */
  get(tourId: string): string | null {
    return latestOf(this.#client).get("TOUR_DESCRIPTION", tourId)?.description ?? null;
  }

  watch(tourId: string, wake: () => void): () => void {
    const stops = [
      // Whoever follows the tour is told.
      this.#client.watchTour(tourId, () => undefined),
      latestOf(this.#client).watch("TOUR_DESCRIPTION", tourId, wake),
    ];
    this.#watched.set(tourId, (this.#watched.get(tourId) ?? 0) + 1);
    // Before there is a connection, `up` reads.
    if ("via" in this.#client.status()) void this.#read(tourId);
    return () => {
      const left = (this.#watched.get(tourId) ?? 0) - 1;
      if (left > 0) this.#watched.set(tourId, left);
      else this.#watched.delete(tourId);
      for (const stop of stops) stop();
    };
  }

  async #read(tourId: string): Promise<void> {
    try {
      const { body } = await this.#client.request(`/api/tours/${encodeURIComponent(tourId)}`);
      const { description = "", descriptionVersion: version = 0, timestamp = "" } = body as Tour;
      latestOf(this.#client).learn({ type: "TOUR_DESCRIPTION", tourId, description, version, timestamp });
    } catch {
      // What changes is told all the same; the next connection reads again.
    }
  }
}

const all = /* @__PURE__ */ new WeakMap<Client, Descriptions>();

export function descriptionsOf(client: Client): Descriptions {
  const descriptions = all.get(client) ?? new Descriptions(client);
  all.set(client, descriptions);
  return descriptions;
}
