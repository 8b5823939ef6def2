/** What operators ask of the service. All of it may be asked again, and is then done once. */
import type { DeparturePatch, NewDeparture, NewTour, Tour, TourPatch } from "@seatcast/client";
import { Refused } from "../api";
import { newKey } from "../key";

/** Ask for something until there is an answer: `Api.insist`. */
export type Insist = (path: string, init?: RequestInit) => Promise<unknown>;

/** A tour that is to be made. Its departures' ids are the page's, by which it knows them again. */
export interface WishedTour extends NewTour {
  readonly id: string;
  readonly departures: readonly WishedDeparture[] | null;
}

export interface WishedDeparture extends NewDeparture {
  readonly id: string;
}

const at = (tourId: string): string => `/api/tours/${encodeURIComponent(tourId)}`;
const sent = (method: string, body: unknown): RequestInit => ({ method, body: JSON.stringify(body) });

/** Every tour, closed ones too, each with its open departures. */
export async function readTours(insist: Insist): Promise<readonly Tour[]> {
  return (await insist("/api/tours?closed=true")) as readonly Tour[];
}

/** One tour with its closed departures; null where there is none. */
export async function readTour(insist: Insist, tourId: string): Promise<Tour | null> {
  try {
    return (await insist(`${at(tourId)}?closed=true`)) as Tour;
  } catch (error) {
    if (error instanceof Refused && error.code === "TOUR_NOT_FOUND") return null;
    throw error;
  }
}

/** Make a tour. That there is already one just like it means that it was made, and only the answer was lost. */
export async function createTour(insist: Insist, wish: WishedTour): Promise<void> {
  try {
    await insist("/api/tours", sent("POST", wish));
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "TOUR_EXISTS") throw error;
    const found = await readTour(insist, wish.id);
    if (found === null || !isAsWished(found, wish)) throw error;
  }
}

function isAsWished(tour: Tour, wish: WishedTour): boolean {
  const same = (["name", "price", "currency", "timeZone"] as const).every((field) => tour[field] === wish[field]);
  if (!same || tour.closed === true) return false;
  if (wish.departures === null) return tour.departures === undefined && tour.capacity === wish.capacity;
  const ids = new Set(tour.departures?.map(({ id }) => id));
  return tour.departures !== undefined && wish.departures.every(({ id }) => ids.has(id));
}

export async function changeTour(insist: Insist, tourId: string, patch: TourPatch): Promise<void> {
  await insist(at(tourId), sent("PATCH", patch));
}

/** Add a departure. That its id is taken means that it was added: nobody else can have made the same. */
export async function addDeparture(insist: Insist, tourId: string, departure: WishedDeparture): Promise<void> {
  try {
    await insist(`${at(tourId)}/departures`, sent("POST", departure));
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "DEPARTURE_EXISTS") throw error;
  }
}

export async function changeDeparture(
  insist: Insist,
  tourId: string,
  departureId: string,
  patch: DeparturePatch,
): Promise<void> {
  await insist(`${at(tourId)}/departures/${encodeURIComponent(departureId)}`, sent("PATCH", patch));
}

/** An id that no departure has. */
export function newDepartureId(): string {
  return `dep_${newKey()}`;
}
