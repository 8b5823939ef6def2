/** The tours as operators see them: read over REST, and read again whenever the connection tells of a change. */
import type { Tour } from "@seatcast/client";
import { useConnectionStatus, useMessages, useTourAvailability, useTours } from "@seatcast/client/react";
import { useCallback, useEffect } from "react";
import { useApi } from "../bookings";
import { readTour, readTours } from "./operator";
import { type Reading, useReading } from "./reading";
import { operated, type OperatedTour } from "./seats";

/** Read again when the connection is back, and when everything is another: what came meanwhile is in no message. */
function useReadAgain({ soon }: Reading<unknown>): void {
  const status = useConnectionStatus();
  const connected = status.kind === "connected";
  useEffect(() => {
    if (connected) soon();
  }, [connected, soon]);
  useMessages("RESET", soon);
}

/** Every tour, closed ones too. What it says of seats is of when it was read: see `useOperated`. */
export function useOperatedTours(): Reading<readonly Tour[]> {
  const { insist } = useApi();
  const reading = useReading(useCallback(() => readTours(insist), [insist]));
  useReadAgain(reading);
  const { soon } = reading;
  // A tour comes, is closed, is opened again or has another name; a departure is closed, with what was sold of it.
  const open = useTours();
  useEffect(soon, [open, soon]);
  useMessages("TOUR_CLOSED", soon);
  return reading;
}

/** One tour with its closed departures; the value is null where there is none. */
export function useOperatedTour(tourId: string): Reading<Tour | null> {
  const { insist } = useApi();
  const reading = useReading(useCallback(() => readTour(insist, tourId), [insist, tourId]));
  useReadAgain(reading);
  const { soon, value } = reading;
  const told = (frame: { readonly tourId: string; readonly version: number }): void => {
    if (frame.tourId === tourId && frame.version !== value?.version) soon();
  };
  useMessages("INITIAL_STATE", told);
  useMessages("AVAILABILITY_UPDATE", told);
  useMessages("TOUR_CLOSED", ({ tourId: closed }) => {
    if (closed === tourId) soon();
  });
  return reading;
}

/** A tour that was read, with the seats that it has now. */
export function useOperated(tour: Tour): OperatedTour {
  return operated(tour, useTourAvailability(tour.id));
}
