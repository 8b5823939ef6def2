/**
 * What the page knows of the shop: figures as they are told, their history, and each tour's figures as they were read.
 *
 * They are read at the start, after a reconnection, when something was sold or opened, and again and again only where
 * nobody tells them.
 */
import { type Client, latestOf } from "@seatcast/client";
import { useClient } from "@seatcast/client/react";
import { useEffect, useSyncExternalStore } from "react";
import type { Api } from "../api";
import { useApi } from "../bookings";
import { type Figures, newest, soldDiffers } from "./figures";
import { History, type Sample } from "./history";
import { type Reading, Readings } from "./readings";

/** How often to read where WebSockets are blocked: only they bring figures. */
export const ASK_MS = 4_000;
/** The least time between two drawings of the charts. */
export const DRAW_MS = 1_000;

const FIGURES = "admin figures";
const READING = "admin reading";
const SAMPLES = "admin samples";

export class Shop {
  readonly #client: Client;
  readonly #readings: Readings;
  readonly #history = new History();
  #samples: readonly Sample[] = [];
  #figures: Figures | null = null;
  #heardAt = 0;
  #told: Figures | null = null;
  /** What was told when a reading was last wished for because of it. */
  #answered: Figures | null = null;
  #lost = false;
  #drawing: unknown = null;

  constructor(client: Client, api: Pick<Api, "metrics">) {
    this.#client = client;
    this.#readings = new Readings(client, api, () => this.#afterReading());
  }

  readonly figures = (): Figures | null => this.#figures;
  readonly watchFigures = (wake: () => void): (() => void) => this.#client.watch(FIGURES, wake);
  readonly samples = (): readonly Sample[] => this.#samples;
  readonly watchSamples = (wake: () => void): (() => void) => this.#client.watch(SAMPLES, wake);
  readonly reading = (): Reading => this.#readings.now;
  readonly watchReading = (wake: () => void): (() => void) => this.#client.watch(READING, wake);

  /** When figures last came, told or read, on the clock of this machine. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** A person asked for the tours anew. */
  readonly again = (): void => this.#readings.atOnce();

  /** Follow the shop until the returned function is called, one at a time. What was learnt outlives that. */
  follow(): () => void {
    const client = this.#client;
    const stops = [
      this.#readings.start(),
      client.follow("metrics"),
      client.on("METRICS_UPDATE", (frame) => {
        this.#told = frame;
        this.#learn(frame);
      }),
      client.on("WELCOME", () => {
        if (this.#told !== null) this.#history.interrupt();
      }),
      // These wake with the page's frames, so not in a hidden tab.
      latestOf(client).watch("METRICS_UPDATE", "", () => this.#compare()),
      client.watchTours(() => this.#readings.soon()),
      client.watchStatus(() => this.#look()),
    ];
    this.#readings.soon();
    return () => {
      for (const stop of stops) stop();
      this.#history.interrupt();
      client.clock.clearTimeout(this.#drawing);
      this.#drawing = null;
    };
  }

  #learn(figures: Figures): void {
    const { clock } = this.#client;
    this.#heardAt = clock.now();
    this.#figures = newest(figures, this.#figures);
    this.#client.touch(FIGURES);
    this.#history.add(figures);
    this.#drawing ??= clock.setTimeout(
      () => {
        this.#drawing = null;
        this.#samples = this.#history.samples();
        this.#client.touch(SAMPLES);
      },
      this.#samples.length === 0 ? 0 : DRAW_MS,
    );
  }

  #compare(): void {
    const told = this.#told;
    const before = this.#answered ?? this.#readings.now.metrics;
    if (told === null || before === null || !soldDiffers(told, before)) return;
    this.#answered = told;
    this.#readings.soon();
  }

  /** What a lost connection did not tell is read when there is another; where none tells, again and again. */
  #look(): void {
    const status = this.#client.status();
    if (status.kind === "connected") {
      if (this.#lost) this.#readings.soon();
      else if (status.via !== "socket") this.#readings.soon(ASK_MS);
      this.#lost = false;
    } else if (status.kind !== "idle" && status.kind !== "connecting") {
      this.#lost = true;
    }
  }

  #afterReading(): void {
    const { metrics, problem } = this.#readings.now;
    if (metrics !== null && problem === null) this.#learn(metrics);
    const status = this.#client.status();
    if ("via" in status && status.via !== "socket") this.#readings.soon(ASK_MS);
    this.#client.touch(READING);
    this.#compare();
  }
}

const shops = new WeakMap<Client, { readonly userId: string; readonly shop: Shop }>();

/** What this user has learnt of the shop in this tab. */
function shopOf(client: Client, api: Api, userId: string): Shop {
  const known = shops.get(client);
  if (known?.userId === userId) return known.shop;
  const shop = new Shop(client, api);
  shops.set(client, { userId, shop });
  return shop;
}

/** The shop as this user knows it, followed for as long as the component is there. */
export function useShop(userId: string): Shop {
  const shop = shopOf(useClient(), useApi(), userId);
  useEffect(() => shop.follow(), [shop]);
  return shop;
}

export function useFigures(shop: Shop): Figures | null {
  return useSyncExternalStore(shop.watchFigures, shop.figures, shop.figures);
}

export function useSamples(shop: Shop): readonly Sample[] {
  return useSyncExternalStore(shop.watchSamples, shop.samples, shop.samples);
}

export function useReading(shop: Shop): Reading {
  return useSyncExternalStore(shop.watchReading, shop.reading, shop.reading);
}
