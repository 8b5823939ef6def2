/** One tour, live: its seats, its departures, what is written about it, and the way to book. */
import { Card, Container, Title } from "@mantine/core";
import type { TourView } from "@seatcast/client";
import { useConnectionStatus, useTourAvailability } from "@seatcast/client/react";
import { type ReactNode, use, useRef } from "react";
import { BookingsContext } from "../bookings";
import { useAnnounce } from "../components/Announcer";
import { BookingForm } from "../components/BookingForm";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { PageLink } from "../components/PageLink";
import { Receipt } from "../components/Receipt";
import { SeatsSummary } from "../components/SeatsSummary";
import { TourAbsent } from "../components/TourAbsent";
import { TourDescription } from "../components/TourDescription";
import { usePageTitle, useSpeech } from "../hooks";
import type { PageProps } from "../places";
import { useSession } from "../session";
import { useThresholds } from "../thresholds";
import styles from "./TourAvailability.module.css";

export function TourAvailability({ params }: PageProps): ReactNode {
  const { t } = useSpeech();
  const tourId = params["tourId"] ?? "";
  const tour = useTourAvailability(tourId);
  return (
    <Container component="main" size="lg" id="content" tabIndex={-1} className="page">
      <p className={styles["back"]}>
        <PageLink to="/">
          <span aria-hidden="true">←</span> {t("tour.all")}
        </PageLink>
      </p>
      <ConnectionNotice />
      {tour === null ? (
        <>
          <TourAbsent tourId={tourId} />
          <Receipts tourId={tourId} />
        </>
      ) : (
        <OnSale tour={tour} />
      )}
    </Container>
  );
}

function OnSale({ tour }: { readonly tour: TourView }): ReactNode {
  const { t, money } = useSpeech();
  const announce = useAnnounce();
  const receipts = useRef<HTMLDivElement>(null);
  const session = useSession();
  const status = useConnectionStatus();
  // Whoever is signed in hears it from the bell as well, if there is a socket to bring it.
  const heardElsewhere = session !== null && status.kind === "connected" && status.via === "socket";
  useThresholds(tour);
  usePageTitle(tour.name);
  const { id, name, price, currency } = tour;
  return (
    <>
      <div className={styles["head"]}>
        <Title order={1}>{name}</Title>
        {price !== null && currency !== null && price > 0 && (
          <p className="muted">{t("tour.price", { price: money(price, currency) })}</p>
        )}
      </div>
      <div className={styles["columns"]}>
        <div className={styles["main"]}>
          <Card withBorder padding="lg" component="section" aria-label={t("tour.seats")}>
            <SeatsSummary tour={tour} />
          </Card>
          <Card withBorder padding="lg" component="section" aria-labelledby="tour-book">
            <Title order={2} size="h3" id="tour-book">
              {t("tour.book")}
            </Title>
            <BookingForm
              tour={tour}
              onBooked={(booking) => {
                if (!heardElsewhere) announce(t("announce.booked", { tour: name, count: booking.seats }));
                requestAnimationFrame(() => receipts.current?.lastElementChild?.scrollIntoView({ block: "nearest" }));
              }}
            />
            <div ref={receipts}>
              <Receipts tourId={id} />
            </div>
          </Card>
        </div>
        <Card withBorder padding="lg" component="section" aria-labelledby="tour-description">
          <Title order={2} size="h3" mb="sm" id="tour-description">
            {t("tour.description")}
          </Title>
          <TourDescription tourId={id} />
        </Card>
      </div>
    </>
  );
}

/** The bookings of this tour that were made in this tab. */
function Receipts({ tourId }: { readonly tourId: string }): ReactNode {
  const { all } = use(BookingsContext);
  return all.map((booking) =>
    booking.tourId === tourId && booking.closed !== true ? <Receipt key={booking.id} booking={booking} /> : null,
  );
}
