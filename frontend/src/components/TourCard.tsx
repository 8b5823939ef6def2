/** One tour on the dashboard: seats left, how full, when that was; all of it leads to the tour's page. Renders for its own tour alone. */
import { Card, Title } from "@mantine/core";
import type { TourView } from "@seatcast/client";
import { useTourAvailability } from "@seatcast/client/react";
import { memo, type ReactNode, useId } from "react";
import { addressOf } from "../addresses";
import { useSpeech } from "../hooks";
import { useThresholds } from "../thresholds";
import { PageLink } from "./PageLink";
import { SeatsSummary } from "./SeatsSummary";

export const TourCard = memo(function TourCard({ id }: { readonly id: string }): ReactNode {
  const tour = useTourAvailability(id);
  return tour === null ? null : <Shown tour={tour} />;
});

function Shown({ tour }: { readonly tour: TourView }): ReactNode {
  const { t, money } = useSpeech();
  const headingId = useId();
  useThresholds(tour);
  const { price, currency } = tour;
  return (
    <Card component="article" withBorder padding="lg" className="tour" aria-labelledby={headingId}>
      <header className="tour-head">
        <Title order={2} size="h3" id={headingId}>
          {/* The only thing in the card that can be pressed: its surface is the card's (app.css). */}
          <PageLink to={addressOf(tour.id)} className="tour-link">
            {tour.name}
          </PageLink>
        </Title>
        {price !== null && currency !== null && price > 0 && (
          <p className="muted price">{t("tour.price", { price: money(price, currency) })}</p>
        )}
      </header>
      <SeatsSummary tour={tour} />
    </Card>
  );
}
