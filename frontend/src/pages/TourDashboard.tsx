/** All tours, live. */
import { Alert, Button, Card, Container, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { useClient, useListState, useTours } from "@seatcast/client/react";
import { type ReactNode, use } from "react";
import { BookingsContext } from "../bookings";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { Receipt } from "../components/Receipt";
import { TourCard } from "../components/TourCard";
import { useSpeech } from "../hooks";

const NONE: readonly Booking[] = [];

export function TourDashboard(): ReactNode {
  const { t } = useSpeech();
  const ids = useTours();
  const { all } = use(BookingsContext);
  const byTour = Map.groupBy(all, ({ tourId }) => tourId);
  const elsewhere = all.filter(({ tourId }) => !ids.includes(tourId));
  return (
    <Container component="main" size="xl" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("page.heading")}</Title>
        <p className="muted">
          {t("page.lead")} {ids.length > 0 && <span>{t("list.count", { count: ids.length })}.</span>}
        </p>
      </div>
      <ConnectionNotice />
      {elsewhere.length > 0 && (
        <section className="elsewhere">
          <Title order={2} size="h4">
            {t("receipt.others")}
          </Title>
          {elsewhere.map((booking) => (
            <Receipt key={booking.id} booking={booking} timeZone={null} named />
          ))}
        </section>
      )}
      {ids.length > 0 ? (
        <ul className="tours">
          {ids.map((id) => (
            <li key={id}>
              <TourCard id={id} bookings={byTour.get(id) ?? NONE} />
            </li>
          ))}
        </ul>
      ) : (
        <NothingYet />
      )}
    </Container>
  );
}

/** Loading, empty and out of reach are three different things to tell. */
function NothingYet(): ReactNode {
  const { t } = useSpeech();
  const client = useClient();
  const state = useListState();
  if (state === "failing") {
    return (
      <Alert color="orange" role="alert" title={t("list.failing")}>
        <div className="notice-line">
          <span>{t("list.failing.hint")}</span>
          <Button size="xs" variant="default" onClick={client.retry}>
            {t("booking.retry")}
          </Button>
        </div>
      </Alert>
    );
  }
  if (state === "complete") {
    return (
      <Card withBorder padding="xl" className="empty">
        <p className="strong">{t("list.empty")}</p>
        <p className="muted">{t("list.empty.hint")}</p>
      </Card>
    );
  }
  return (
    <>
      <VisuallyHidden role="status">{t("list.loading")}</VisuallyHidden>
      <ul className="tours" aria-hidden="true">
        {[0, 1, 2].map((at) => (
          <li key={at}>
            <Card withBorder padding="lg">
              <Skeleton height={26} width="55%" />
              <Skeleton height={52} width="75%" mt={20} />
              <Skeleton height={6} mt={16} />
              <Skeleton height={120} mt={24} />
              <Skeleton height={40} mt={20} />
            </Card>
          </li>
        ))}
      </ul>
    </>
  );
}
