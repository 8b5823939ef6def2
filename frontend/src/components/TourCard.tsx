/** One tour on the dashboard, all of it the link to the tour's page. Renders for its own tour alone. */
import type { DepartureView, TourView } from "@seatcast/client";
import { useTourAvailability } from "@seatcast/client/react";
import { memo, type ReactNode, useId } from "react";
import { addressOf } from "../addresses";
import { departuresOn } from "../arrange";
import { useSpeech } from "../hooks";
import { knownZone } from "../text";
import { useThresholds } from "../thresholds";
import { PageLink } from "./PageLink";
import { SeatsSummary } from "./SeatsSummary";
import styles from "./TourCard.module.css";

interface Props {
  readonly id: string;
  /** The day that is looked for, if one is. */
  readonly date: string | null;
}

export const TourCard = memo(function TourCard({ id, date }: Props): ReactNode {
  const tour = useTourAvailability(id);
  return tour === null ? null : <Shown tour={tour} date={date} />;
});

// Plain elements: what a hundred cards a second render again is to cost little.
function Shown({ tour, date }: { readonly tour: TourView; readonly date: string | null }): ReactNode {
  const headingId = useId();
  useThresholds(tour);
  const { id, name, price, currency, timeZone } = tour;
  const departures = departuresOn(tour, date);
  return (
    <article className={styles["card"]} aria-labelledby={headingId}>
      <Head id={id} name={name} price={price} currency={currency} headingId={headingId} />
      <SeatsSummary tour={tour} />
      {date === null ? (
        <Next startsAt={departures[0]?.startsAt ?? null} timeZone={timeZone} />
      ) : (
        <OnTheDay departures={departures} timeZone={timeZone} />
      )}
    </article>
  );
}

interface HeadProps extends Pick<TourView, "id" | "name" | "price" | "currency"> {
  readonly headingId: string;
}

const Head = memo(function Head({ id, name, price, currency, headingId }: HeadProps): ReactNode {
  const { t, money } = useSpeech();
  return (
    <header>
      <h2 className={styles["name"]} id={headingId}>
        {/* The only thing in the card that can be pressed: its surface is the card's. */}
        <PageLink to={addressOf(id)} className={styles["link"]}>
          {name}
        </PageLink>
      </h2>
      {price !== null && currency !== null && price > 0 && (
        <p className={styles["price"]}>{t("tour.price", { price: money(price, currency) })}</p>
      )}
    </header>
  );
});

interface NextProps {
  /** Null for a tour without dates. */
  readonly startsAt: string | null;
  readonly timeZone: string | null;
}

const Next = memo(function Next({ startsAt, timeZone }: NextProps): ReactNode {
  const { t, day, time } = useSpeech();
  if (startsAt === null) return <p className={styles["departures"]}>{t("tour.undated")}</p>;
  const zone = knownZone(timeZone);
  const moment = new Date(startsAt);
  return (
    <p className={styles["departures"]}>
      <time dateTime={startsAt}>{t("tour.next", { day: day(moment, zone, new Date()), time: time(moment, zone) })}</time>
    </p>
  );
});

interface OnTheDayProps {
  readonly departures: readonly DepartureView[];
  readonly timeZone: string | null;
}

/** The departures of the day that is looked for, each with what is left of it. */
function OnTheDay({ departures, timeZone }: OnTheDayProps): ReactNode {
  const { t, day, time } = useSpeech();
  const zone = knownZone(timeZone);
  const [first] = departures;
  if (first === undefined) return null;
  const all = departures.map(({ startsAt, availableSeats }) => {
    const at = time(new Date(startsAt), zone);
    return availableSeats === 0 ? t("tour.at.none", { time: at }) : t("tour.at", { time: at, count: availableSeats });
  });
  return (
    <p className={styles["departures"]}>
      {t("tour.onTheDay", { day: day(new Date(first.startsAt), zone, new Date()), departures: all.join(", ") })}
    </p>
  );
}
