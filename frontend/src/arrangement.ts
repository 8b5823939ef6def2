/**
 * The tours that are shown, in an order that holds still.
 *
 * Tours are put in order when a person asks: by opening the page, by another search, sort or date, or by the button for
 * it. Seats that change meanwhile change their figures where they are. A card that moved by itself would take the line
 * from under who reads it and the link from under who is about to press it; so whoever comes later comes last, whoever
 * is no longer on sale leaves, and `outdated` says that asking again would give another order.
 */
import type { Client, TourView } from "@seatcast/client";
import { useClient } from "@seatcast/client/react";
import { useMemo, useSyncExternalStore } from "react";
import { arrange, keepPlaces } from "./arrange";
import type { Wanted } from "./wanted";

/** How soon after a change it is looked whether a tour comes, goes or would move: not at each of a hundred a second. */
export const LOOK_MS = 1_000;

export interface Arranged {
  readonly ids: readonly string[];
  /** Asked again, the order would be another. */
  readonly outdated: boolean;
}

export class Arrangement {
  readonly #client: Client;
  readonly #wanted: Wanted;
  readonly #wakes = new Set<() => void>();
  #arranged: Arranged;
  /** The list was complete when it was put in order: before, nobody can have read it. */
  #settled: boolean;

  constructor(client: Client, wanted: Wanted) {
    this.#client = client;
    this.#wanted = wanted;
    this.#settled = client.listState() === "complete";
    this.#arranged = { ids: this.#fresh(), outdated: false };
  }

  readonly arranged = (): Arranged => this.#arranged;

  /** Put the tours in order again. */
  readonly again = (): void => {
    this.#arranged = { ids: this.#fresh(), outdated: false };
    for (const wake of this.#wakes) wake();
  };

  readonly watch = (wake: () => void): (() => void) => {
    const client = this.#client;
    const tours = new Map<string, () => void>();
    let timer: unknown = null;
    const later = (): void => {
      timer ??= client.clock.setTimeout(look, LOOK_MS);
    };
    const look = (): void => {
      if (timer !== null) client.clock.clearTimeout(timer);
      timer = null;
      const listed = new Set(client.tours());
      for (const [id, stop] of tours) if (!listed.has(id) && tours.delete(id)) stop();
      for (const id of listed) if (!tours.has(id)) tours.set(id, client.watch(`tour ${id}`, later));
      if (this.#look()) wake();
    };
    const stopList = client.watchTours(look);
    this.#wakes.add(wake);
    look();
    return () => {
      this.#wakes.delete(wake);
      if (timer !== null) client.clock.clearTimeout(timer);
      stopList();
      for (const stop of tours.values()) stop();
    };
  };

  /** Compare with what is known now; return whether something is to be shown differently. */
  #look(): boolean {
    const before = this.#arranged;
    const fresh = this.#fresh();
    const ids = this.#settled ? keepPlaces(before.ids, fresh) : fresh;
    this.#settled = this.#client.listState() === "complete";
    const outdated = !same(ids, fresh);
    if (same(ids, before.ids) && outdated === before.outdated) return false;
    this.#arranged = { ids, outdated };
    return true;
  }

  #fresh(): readonly string[] {
    const known = this.#client.tours().map((id) => this.#client.tour(id));
    return arrange(known.filter((tour): tour is TourView => tour !== null), this.#wanted);
  }
}

/** The tours to show, and how to have them put in order again. Renders again only when one comes, goes or would move. */
export function useArrangement(wanted: Wanted): Arranged & Pick<Arrangement, "again"> {
  const client = useClient();
  const arrangement = useMemo(() => new Arrangement(client, wanted), [client, wanted]);
  const arranged = useSyncExternalStore(arrangement.watch, arrangement.arranged);
  return { ...arranged, again: arrangement.again };
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
