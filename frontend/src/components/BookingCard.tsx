/** One of my bookings: what, when, how many, how much, how it stands; and the way to cancel it while that makes sense. */
import { Card, Title } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { type ReactNode, useId } from "react";
import { addressOf } from "../addresses";
import { useNowAt, useSpeech } from "../hooks";
import styles from "./BookingCard.module.css";
import { CancelBooking } from "./CancelBooking";
import { PageLink } from "./PageLink";
import { StartOf } from "./StartOf";

interface Props {
  readonly booking: Booking;
  readonly onCancelled: (booking: Booking) => void;
}

export function BookingCard({ booking, onCancelled }: Props): ReactNode {
  const { t, money, number, clock } = useSpeech();
  const headingId = useId();
  const { startsAt, seats, total, currency, createdAt, cancelledAt } = booking;
  const now = useNowAt(startsAt === undefined ? [] : [startsAt]);
  const left = startsAt !== undefined && Date.parse(startsAt) <= now.getTime();
  const state = booking.status === "cancelled" ? "cancelled" : left ? "left" : "confirmed";
  const said = (moment: string): ReactNode => <time dateTime={moment}>{clock(new Date(moment), now)}</time>;
  return (
    <Card component="article" withBorder padding="lg" aria-labelledby={headingId} className={styles["card"]}>
      <div className={styles["head"]}>
        <Title order={2} size="h4" id={headingId}>
          <PageLink to={addressOf(booking.tourId)}>{booking.tourName}</PageLink>
        </Title>
        <span className={styles["state"]} data-state={state}>
          {t(`mine.state.${state}`)}
        </span>
      </div>
      <dl className={styles["facts"]}>
        {startsAt !== undefined && (
          <Fact name={t("mine.departure")} wide>
            <StartOf booking={booking} />
          </Fact>
        )}
        <Fact name={t("mine.seats")}>{number(seats)}</Fact>
        <Fact name={t("mine.total")}>{money(total, currency)}</Fact>
        <Fact name={t("mine.made")}>{said(createdAt)}</Fact>
        {cancelledAt !== undefined && <Fact name={t("mine.cancelled")}>{said(cancelledAt)}</Fact>}
        <Fact name={t("mine.reference")} wide>
          <span className={styles["reference"]}>{booking.id}</span>
        </Fact>
      </dl>
      {state !== "left" && <CancelBooking booking={booking} onCancelled={onCancelled} />}
    </Card>
  );
}

interface FactProps {
  readonly name: string;
  /** It takes the room of two. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

function Fact({ name, wide = false, children }: FactProps): ReactNode {
  return (
    <div className={wide ? styles["wide"] : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
