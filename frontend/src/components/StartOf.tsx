/** When a booking's departure starts: day, time and whose time, in the departure's own zone. Nothing on an undated tour. */
import type { Booking } from "@seatcast/client";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { knownZone } from "../text";

export function StartOf({ booking }: { readonly booking: Booking }): ReactNode {
  const { day, time, zone: zoneName } = useSpeech();
  if (booking.startsAt === undefined) return null;
  const zone = knownZone(booking.timeZone ?? null);
  const start = new Date(booking.startsAt);
  return (
    <time dateTime={booking.startsAt}>
      {day(start, zone, new Date())}, {time(start, zone)} <span className="muted">({zoneName(start, zone)})</span>
    </time>
  );
}
