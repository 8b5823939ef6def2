/** One tour: seats left, how full, when that was, its departures, and the way to book. Renders for its own tour alone. */
import { Card, Title } from "@mantine/core";
import type { Booking, TourView } from "@seatcast/client";
import { useTourAvailability } from "@seatcast/client/react";
import { memo, type ReactNode, useEffect, useId, useRef } from "react";
import { useSpeech } from "../hooks";
import { type Level, levelOf } from "../level";
import { useAnnounce } from "./Announcer";
import { BookingForm } from "./BookingForm";
import { Receipt } from "./Receipt";
import { SeatsFigure } from "./SeatsFigure";
import { SeatsLevel } from "./SeatsLevel";

interface Props {
  readonly id: string;
  /** The bookings of this tour that were made here. */
  readonly bookings: readonly Booking[];
}

export const TourCard = memo(function TourCard({ id, bookings }: Props): ReactNode {
  const tour = useTourAvailability(id);
  return tour === null ? null : <Shown tour={tour} bookings={bookings} />;
});

function Shown({ tour, bookings }: { readonly tour: TourView; readonly bookings: readonly Booking[] }): ReactNode {
  const { t, money, clock } = useSpeech();
  const headingId = useId();
  useThresholds(tour);
  const { availableSeats, capacity, price, currency, timestamp } = tour;
  const changed = timestamp === null ? null : new Date(timestamp);
  return (
    <Card component="article" withBorder padding="lg" className="tour" aria-labelledby={headingId}>
      <header className="tour-head">
        <Title order={2} size="h3" id={headingId}>
          {tour.name}
        </Title>
        {price !== null && currency !== null && price > 0 && (
          <p className="muted price">{t("tour.price", { price: money(price, currency) })}</p>
        )}
      </header>
      <div className="tour-seats">
        <SeatsFigure seats={availableSeats} capacity={capacity} />
        <SeatsLevel seats={availableSeats} />
      </div>
      {capacity !== null && capacity > 0 && (
        <div className="meter" data-level={levelOf(availableSeats)} aria-hidden="true">
          <span style={{ transform: `scaleX(${Math.min(1, availableSeats / capacity)})` }} />
        </div>
      )}
      {changed !== null && (
        <p className="muted updated">
          <time dateTime={timestamp ?? undefined}>{t("tour.updated", { time: clock(changed, new Date()) })}</time>
        </p>
      )}
      <BookingForm tour={tour} />
      {bookings.map((booking) => (
        <Receipt key={booking.id} booking={booking} timeZone={tour.timeZone} />
      ))}
    </Card>
  );
}

/** Tell screen readers when the tour crosses into its last seats, sells out, or has seats again. */
function useThresholds({ name, availableSeats }: TourView): void {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const before = useRef<Level | null>(null);
  useEffect(() => {
    const level = levelOf(availableSeats);
    const was = before.current;
    before.current = level;
    if (was === null || was === level) return;
    if (level === "none") announce(t("announce.none", { tour: name }));
    else if (was === "none") announce(t("announce.again", { tour: name }));
    else if (level === "last") announce(t("announce.last", { tour: name, count: availableSeats }));
  }, [availableSeats, name, announce, t]);
}
