/** A tour's seats: the figure, how full in a word and a bar, when that was, and whether it is still live. */
import type { TourView } from "@seatcast/client";
import type { CSSProperties, ReactNode } from "react";
import { useAge } from "../age";
import { useLive } from "../freshness";
import { useSpeech } from "../hooks";
import { levelOf } from "../level";
import { PausedIcon } from "./icons";
import { SeatsFigure } from "./SeatsFigure";
import { SeatsLevel } from "./SeatsLevel";
import styles from "./SeatsSummary.module.css";

export function SeatsSummary({ tour }: { readonly tour: TourView }): ReactNode {
  const { t } = useSpeech();
  const live = useLive();
  const { availableSeats, capacity, timestamp } = tour;
  return (
    <>
      <div className={styles["seats"]} data-live={live}>
        <SeatsFigure seats={availableSeats} capacity={capacity} />
        <SeatsLevel seats={availableSeats} />
      </div>
      {capacity !== null && capacity > 0 && (
        <div
          className={styles["meter"]}
          data-level={levelOf(availableSeats)}
          data-live={live}
          style={{ "--left": `${Math.min(100, (100 * availableSeats) / capacity)}%` } as CSSProperties}
        />
      )}
      <p className={styles["told"]}>
        {!live && (
          <span className={styles["old"]}>
            <PausedIcon />
            {t("tour.old")}
          </span>
        )}
        {timestamp !== null && <Updated timestamp={timestamp} />}
      </p>
    </>
  );
}

/** How long ago, to the minute: a time to the second would change with each seat. That is in the tooltip. */
function Updated({ timestamp }: { readonly timestamp: string }): ReactNode {
  const { t, ago, clock } = useSpeech();
  const minutes = useAge(timestamp);
  return (
    <time dateTime={timestamp} title={clock(new Date(timestamp), new Date())}>
      {minutes === 0 ? t("tour.updated.now") : t("tour.updated", { ago: ago(minutes) })}
    </time>
  );
}
