/** For operators: one tour, its seats as they are now, and everything that can be changed about it. */
import { Container, Skeleton, Stack, Title, VisuallyHidden } from "@mantine/core";
import type { Tour } from "@seatcast/client";
import type { ReactNode } from "react";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { Notice } from "../components/Notice";
import { PageLink } from "../components/PageLink";
import { usePageTitle, useSpeech } from "../hooks";
import { Departures } from "../operate/Departures";
import styles from "../operate/operate.module.css";
import { ReadingNotice } from "../operate/ReadingNotice";
import { SeatsLine, State } from "../operate/SeatsLine";
import { Selling } from "../operate/Selling";
import { TourDetails } from "../operate/TourDetails";
import { useOperated, useOperatedTour } from "../operate/useOperated";
import type { PageProps } from "../places";

export function OperateTour({ params }: PageProps): ReactNode {
  const { t } = useSpeech();
  const reading = useOperatedTour(params["tourId"] ?? "");
  const { value: tour } = reading;
  if (tour === null) {
    return (
      <Notice title={t("operate.missing")} hint={t("operate.missing.hint")}>
        <p>
          <PageLink to="/operate">{t("operate.back")}</PageLink>
        </p>
      </Notice>
    );
  }
  return (
    <Container component="main" size="lg" id="content" tabIndex={-1} className="page">
      <p className={styles["back"]}>
        <PageLink to="/operate">{t("operate.back")}</PageLink>
      </p>
      {tour === undefined && (
        <>
          <Title order={1}>{t("operate.loading")}</Title>
          <VisuallyHidden role="status">{t("place.loading")}</VisuallyHidden>
        </>
      )}
      <ReadingNotice reading={reading} />
      {tour !== undefined ? (
        <Operated tour={tour} onChanged={reading.now} />
      ) : (
        reading.failure === null && (
          <>
            <Skeleton height={72} mt={20} />
            <Skeleton height={220} mt={20} />
            <Skeleton height={320} mt={20} />
          </>
        )
      )}
    </Container>
  );
}

interface OperatedProps {
  readonly tour: Tour;
  readonly onChanged: () => Promise<void>;
}

function Operated({ tour: read, onChanged }: OperatedProps): ReactNode {
  const { t } = useSpeech();
  usePageTitle(read.name);
  const tour = useOperated(read);
  return (
    <>
      <div className={styles["head"]}>
        <div>
          <div className={styles["tourHead"]}>
            <Title order={1}>{tour.name}</Title>
            <State closed={tour.closed} />
          </div>
          <p className="muted">{tour.id}</p>
          <p className={styles["links"]}>
            <PageLink to={`/tours/${encodeURIComponent(tour.id)}`}>{t("operate.public")}</PageLink>
            <PageLink to={`/descriptions/${encodeURIComponent(tour.id)}`}>{t("operate.description")}</PageLink>
          </p>
        </div>
        <SeatsLine seats={tour.seats} closed={tour.closed} />
      </div>
      {tour.soldBefore > 0 && <p className="muted">{t("operate.soldBefore", { count: tour.soldBefore })}</p>}
      <ConnectionNotice />
      <Stack gap="lg" mt="md">
        <TourDetails tour={tour} onChanged={onChanged} />
        {tour.dated && <Departures tour={tour} onChanged={onChanged} />}
        <Selling tour={tour} onChanged={onChanged} />
      </Stack>
    </>
  );
}
