/**
 * The frames and REST bodies that the page reads, as CONTRACT 1 and 2 say them and `contract/*.json` shows them.
 *
 * `parseFrame` is the one place where text from the socket becomes a value. It checks every field that somebody
 * reads; what it cannot vouch for is `null`, and unknown types are no error.
 */

export interface Departure {
  readonly id: string;
  readonly startsAt: string;
  readonly availableSeats: number;
  readonly capacity: number;
  readonly held: number;
  readonly version: number;
}

/** The seats of a tour and, on a dated tour, of one departure of it. Top-level numbers are the tour's. */
export interface Availability {
  readonly tourId: string;
  readonly availableSeats: number;
  readonly timestamp: string;
  readonly tourName?: string;
  readonly capacity?: number;
  readonly held?: number;
  readonly version: number;
  readonly departure?: Departure;
}

export interface Welcome {
  readonly type: "WELCOME";
  readonly connectionId: string;
  readonly serverTime: string;
  readonly heartbeatSeconds: number;
  readonly epoch: string;
  readonly following: "all" | "named";
}

export interface TourClosed {
  readonly type: "TOUR_CLOSED";
  readonly tourId: string;
  readonly version: number;
  readonly timestamp: string;
  readonly departureId?: string;
}

export type AvailabilityFrame = Availability & { readonly type: "INITIAL_STATE" | "AVAILABILITY_UPDATE" };

export type ServerFrame =
  | Welcome
  | AvailabilityFrame
  | TourClosed
  | { readonly type: "STALE" | "FRESH"; readonly since: string }
  | { readonly type: "RECONNECT"; readonly afterMs: number }
  | { readonly type: "RESET"; readonly epoch: string }
  | { readonly type: "PONG"; readonly serverTime: string }
  | { readonly type: "ERROR"; readonly message: string; readonly code: string };

export type ClientFrame =
  | { readonly type: "SUBSCRIBE" | "UNSUBSCRIBE"; readonly tourId: string; readonly id?: string }
  | { readonly type: "PING"; readonly id?: string };

/** Close codes that are an instruction (CONTRACT 1, Errors and closing). */
export const CloseCode = {
  UNSUPPORTED_DATA: 1003,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  UNAUTHENTICATED: 4401,
  FORBIDDEN: 4403,
  RATE_LIMITED: 4429,
} as const;

// REST

export interface TourDeparture extends Departure {
  readonly timestamp?: string;
}

/** A tour as `GET /api/tours` lists it; a service that is not ours may send the first three alone. */
export interface Tour {
  readonly id: string;
  readonly name: string;
  readonly available_seats: number;
  readonly capacity?: number;
  readonly held?: number;
  readonly price?: number;
  readonly currency?: string;
  readonly timeZone?: string;
  readonly version?: number;
  readonly timestamp?: string;
  readonly departures?: readonly TourDeparture[];
}

/** All open tours at one instant; `epoch` (header `Seatcast-Epoch`) is null where there are no versions. */
export interface Snapshot {
  readonly epoch: string | null;
  readonly tours: readonly Tour[];
}

export interface Booking {
  readonly id: string;
  readonly tourId: string;
  readonly tourName: string;
  readonly seats: number;
  readonly status: "confirmed" | "cancelled";
  readonly total: number;
  readonly currency: string;
  readonly createdAt: string;
  readonly departureId?: string;
  readonly startsAt?: string;
  readonly cancelledAt?: string;
}

export interface BookResponse {
  readonly message: string;
  readonly booking: Booking;
  readonly availability: Availability;
}

/** Every error body: a sentence for people, a stable code, and where or how many. */
export interface Problem {
  readonly error: string;
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

// Checks

type Fields = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptionally = (check: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || check(value);

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDeparture(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value["id"]) &&
    isText(value["startsAt"]) &&
    isCount(value["availableSeats"]) &&
    isCount(value["capacity"]) &&
    isCount(value["held"]) &&
    isCount(value["version"])
  );
}

export function isAvailability(value: unknown): value is Availability {
  return (
    isObject(value) &&
    isText(value["tourId"]) &&
    isCount(value["availableSeats"]) &&
    isText(value["timestamp"]) &&
    isCount(value["version"]) &&
    isOptionally(isText, value["tourName"]) &&
    isOptionally(isCount, value["capacity"]) &&
    isOptionally(isCount, value["held"]) &&
    isOptionally(isDeparture, value["departure"])
  );
}

export function isTour(value: unknown): value is Tour {
  return (
    isObject(value) &&
    isText(value["id"]) &&
    isText(value["name"]) &&
    isCount(value["available_seats"]) &&
    isOptionally(isCount, value["version"]) &&
    isOptionally((all) => Array.isArray(all) && all.every(isDeparture), value["departures"])
  );
}

/** How each type that we read is checked; a type that is not here is ignored. */
const CHECKS: { readonly [Type in ServerFrame["type"]]: (frame: Fields) => boolean } = {
  WELCOME: (frame) =>
    isText(frame["epoch"]) &&
    typeof frame["heartbeatSeconds"] === "number" &&
    frame["heartbeatSeconds"] > 0 &&
    (frame["following"] === "all" || frame["following"] === "named"),
  INITIAL_STATE: isAvailability,
  AVAILABILITY_UPDATE: isAvailability,
  TOUR_CLOSED: (frame) =>
    isText(frame["tourId"]) &&
    isCount(frame["version"]) &&
    isText(frame["timestamp"]) &&
    isOptionally(isText, frame["departureId"]),
  STALE: (frame) => isText(frame["since"]),
  FRESH: (frame) => isText(frame["since"]),
  RECONNECT: (frame) => isCount(frame["afterMs"]),
  RESET: (frame) => isText(frame["epoch"]),
  PONG: () => true,
  ERROR: (frame) => isText(frame["message"]) && isText(frame["code"]),
};

/** Return the frame in a text message, or null for what we do not know or cannot vouch for. */
export function parseFrame(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value["type"] !== "string" || !Object.hasOwn(CHECKS, value["type"])) return null;
  return CHECKS[value["type"] as ServerFrame["type"]](value) ? (value as unknown as ServerFrame) : null;
}
