/** What came over the connection lately, for the event tail: bounded for each kind, so that a rush hides no rarity. */
import { type Client, type FrameOf, latestOf, type ServerFrame, type Status } from "@seatcast/client";
import { useClient } from "@seatcast/client/react";
import { useEffect, useState, useSyncExternalStore } from "react";

/** How many to remember of each kind. */
export const REMEMBERED = 100;
/** The least time between two drawings: more often nobody can read. */
export const DRAW_MS = 250;

export const KINDS = ["seats", "closings", "bookings", "figures", "chat", "documents", "connection", "other"] as const;
export type Kind = (typeof KINDS)[number];

/** null: answers to what this page itself asked, which are no events. */
const KIND_OF: Readonly<Record<ServerFrame["type"], Kind | null>> = {
  INITIAL_STATE: "seats",
  AVAILABILITY_UPDATE: "seats",
  TOUR_CLOSED: "closings",
  BOOKING_CONFIRMED: "bookings",
  BOOKING_CANCELLED: "bookings",
  HOLD_EXPIRED: "bookings",
  METRICS_UPDATE: "figures",
  CHAT_MESSAGE: "chat",
  CHAT_TYPING: "chat",
  CONVERSATION_UPDATE: "chat",
  SUPPORT_PRESENCE: "chat",
  DOCUMENT_EDIT: "documents",
  TOUR_DESCRIPTION: "documents",
  WELCOME: "connection",
  AUTHENTICATED: "connection",
  STALE: "connection",
  FRESH: "connection",
  RESET: "connection",
  RECONNECT: "connection",
  ERROR: "other",
  RANDOM_NUMBER: "other",
  SUBSCRIBED: null,
  UNSUBSCRIBED: null,
  PONG: null,
};

/** A frame, or that the connection was lost, which no frame can say. */
export type Heard = ServerFrame | { readonly type: "LOST" };

export interface Entry {
  readonly id: number;
  /** On the clock of this machine. */
  readonly at: number;
  readonly kind: Kind;
  readonly heard: Heard;
  /** The name of the tour that it is about, or its id. */
  readonly tour: string | null;
  /** What the figure was before: seats left, or active bookings. */
  readonly before: number | null;
}

const ENTRIES = "admin tail";

export class Tail {
  readonly #client: Client;
  readonly #entries = new Map<Kind, Entry[]>();
  readonly #tours = new Map<string, { readonly name: string; readonly seats: number }>();
  #bookings: number | null = null;
  #count = 0;
  #view: readonly Entry[] = [];
  #drawing: unknown = null;

  constructor(client: Client) {
    this.#client = client;
  }

  /** All that is remembered, the newest first. */
  readonly entries = (): readonly Entry[] => this.#view;
  readonly watch = (wake: () => void): (() => void) => this.#client.watch(ENTRIES, wake);

  /** Listen until the returned function is called. */
  follow(): () => void {
    const client = this.#client;
    for (const id of client.tours()) {
      const tour = client.tour(id);
      if (tour !== null) this.#tours.set(id, { name: tour.name, seats: tour.availableSeats });
    }
    this.#bookings = latestOf(client).get("METRICS_UPDATE")?.activeBookings ?? null;
    let before = client.status().kind;
    const stops = (Object.keys(KIND_OF) as ServerFrame["type"][]).flatMap((type) => {
      const kind = KIND_OF[type];
      return kind === null ? [] : [client.on(type, (frame: ServerFrame) => this.#hear(frame, kind))];
    });
    stops.push(
      client.watchStatus(() => {
        const { kind } = client.status();
        if (isConnected(before) && !isConnected(kind)) this.#put("connection", { type: "LOST" }, null, null);
        before = kind;
      }),
    );
    return () => {
      for (const stop of stops) stop();
      client.clock.clearTimeout(this.#drawing);
      this.#drawing = null;
    };
  }

  #hear(frame: ServerFrame, kind: Kind): void {
    switch (frame.type) {
      case "INITIAL_STATE":
      case "AVAILABILITY_UPDATE":
        this.#hearSeats(frame);
        return;
      case "METRICS_UPDATE":
        this.#put(kind, frame, null, this.#bookings);
        this.#bookings = frame.activeBookings;
        return;
      case "RESET":
        this.#tours.clear();
        this.#put(kind, frame, null, null);
        return;
      default:
        this.#put(kind, frame, this.#tourOf(frame), null);
    }
  }

  #hearSeats(frame: FrameOf<"INITIAL_STATE" | "AVAILABILITY_UPDATE">): void {
    const { tourId, availableSeats } = frame;
    const known = this.#tours.get(tourId);
    const name = frame.tourName ?? this.#nameOf(tourId);
    this.#tours.set(tourId, { name, seats: availableSeats });
    // How things stand is an event only where they stood otherwise before.
    if (frame.type === "INITIAL_STATE" && (known === undefined || known.seats === availableSeats)) return;
    this.#put("seats", frame, name, known?.seats ?? null);
  }

  #tourOf(frame: ServerFrame): string | null {
    if ("tourName" in frame) return frame.tourName;
    const { tourId } = frame as { readonly tourId?: string };
    return tourId === undefined ? null : this.#nameOf(tourId);
  }

  #nameOf(tourId: string): string {
    return this.#client.tour(tourId)?.name ?? this.#tours.get(tourId)?.name ?? tourId;
  }

  #put(kind: Kind, heard: Heard, tour: string | null, before: number | null): void {
    const entries = this.#entries.get(kind) ?? [];
    this.#entries.set(kind, entries);
    entries.push({ id: (this.#count += 1), at: this.#client.clock.now(), kind, heard, tour, before });
    if (entries.length > REMEMBERED) entries.shift();
    this.#drawing ??= this.#client.clock.setTimeout(() => {
      this.#drawing = null;
      this.#view = [...this.#entries.values()].flat().sort((one, other) => other.id - one.id);
      this.#client.touch(ENTRIES);
    }, DRAW_MS);
  }
}

function isConnected(kind: Status["kind"]): boolean {
  return kind === "connected" || kind === "stale";
}

/** What comes while the component is there, the newest first. */
export function useTail(): readonly Entry[] {
  const client = useClient();
  const [tail] = useState(() => new Tail(client));
  useEffect(() => tail.follow(), [tail]);
  return useSyncExternalStore(tail.watch, tail.entries, tail.entries);
}
