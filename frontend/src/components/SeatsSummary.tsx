/** A tour's seats, live: the figure, how full in a word and a bar, and when that was. */
import type { TourView } from "@seatcast/client";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { levelOf } from "../level";
import { SeatsFigure } from "./SeatsFigure";
import { SeatsLevel } from "./SeatsLevel";

export function SeatsSummary({ tour }: { readonly tour: TourView }): ReactNode {
  const { t, clock } = useSpeech();
  const { availableSeats, capacity, timestamp } = tour;
  return (
    <>
      <div className="tour-seats">
        <SeatsFigure seats={availableSeats} capacity={capacity} />
        <SeatsLevel seats={availableSeats} />
      </div>
      {capacity !== null && capacity > 0 && (
        <div className="meter" data-level={levelOf(availableSeats)} aria-hidden="true">
          <span style={{ transform: `scaleX(${Math.min(1, availableSeats / capacity)})` }} />
        </div>
      )}
      {timestamp !== null && (
        <p className="muted updated">
          <time dateTime={timestamp}>{t("tour.updated", { time: clock(new Date(timestamp), new Date()) })}</time>
        </p>
      )}
    </>
  );
}
