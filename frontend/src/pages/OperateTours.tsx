/** For operators: every tour, on sale or closed, with what is sold, held and left of it now. */
import "@mantine/core/styles/Input.css";
import { Button, Card, Container, Skeleton, TextInput, Title, VisuallyHidden } from "@mantine/core";
import type { Tour } from "@seatcast/client";
import { type ReactNode, useId, useState } from "react";
import { Link } from "wouter";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { addressed, PageLink } from "../components/PageLink";
import { usePageTitle, useSpeech } from "../hooks";
import styles from "../operate/operate.module.css";
import { ReadingNotice } from "../operate/ReadingNotice";
import { SeatsLine, State } from "../operate/SeatsLine";
import { useOperated, useOperatedTours } from "../operate/useOperated";

export function OperateTours(): ReactNode {
  const { t, language } = useSpeech();
  usePageTitle(t("operate.heading"));
  const reading = useOperatedTours();
  const [search, setSearch] = useState("");
  const [closedToo, setClosedToo] = useState(true);
  const closedId = useId();
  const tours = reading.value;
  const wanted = (tours ?? []).filter(
    (tour) => (closedToo || tour.closed !== true) && `${tour.name} ${tour.id}`.toLowerCase().includes(search.trim().toLowerCase()),
  );
  return (
    <Container component="main" size="lg" id="content" tabIndex={-1} className="page">
      <div className={styles["head"]}>
        <div>
          <Title order={1}>{t("operate.heading")}</Title>
          <p className="muted">{t("operate.lead")}</p>
        </div>
        <Button component={Link} href={addressed("/operate/new", language)}>
          {t("operate.new")}
        </Button>
      </div>
      <ConnectionNotice />
      <ReadingNotice reading={reading} />
      {tours !== undefined && tours.length > 0 && (
        <div className={styles["filters"]} role="search">
          <TextInput
            type="search"
            label={t("operate.search")}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
          <label htmlFor={closedId} className={styles["check"]}>
            <input
              id={closedId}
              type="checkbox"
              checked={closedToo}
              onChange={(event) => setClosedToo(event.currentTarget.checked)}
            />
            {t("operate.search.closed")}
          </label>
          <p className="muted" role="status">
            {t("operate.search.count", { count: wanted.length })}
          </p>
        </div>
      )}
      {tours === undefined ? (
        reading.failure === null && <Waiting />
      ) : tours.length === 0 ? (
        <Card withBorder padding="xl" className="empty">
          <p className="strong">{t("operate.none")}</p>
          <p className="muted">{t("operate.none.hint")}</p>
        </Card>
      ) : (
        <ul className={styles["tours"]}>
          {wanted.map((tour) => (
            <li key={tour.id}>
              <Row tour={tour} />
            </li>
          ))}
        </ul>
      )}
    </Container>
  );
}

function Row({ tour: read }: { readonly tour: Tour }): ReactNode {
  const { t } = useSpeech();
  const tour = useOperated(read);
  return (
    <Card withBorder padding="md" component="article" aria-label={tour.name} className={styles["tour"] ?? ""}>
      <div className={styles["tourHead"]}>
        <Title order={2} size="h4">
          <PageLink to={`/operate/tours/${encodeURIComponent(tour.id)}`}>{tour.name}</PageLink>
        </Title>
        <State closed={tour.closed} />
        <p className="muted">{tour.dated ? t("operate.count", { count: tour.departures.length }) : t("operate.undated")}</p>
      </div>
      <div>
        <SeatsLine seats={tour.seats} closed={tour.closed} />
        {tour.soldBefore > 0 && <p className="muted">{t("operate.soldBefore", { count: tour.soldBefore })}</p>}
      </div>
    </Card>
  );
}

function Waiting(): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      <VisuallyHidden role="status">{t("list.loading")}</VisuallyHidden>
      {[0, 1, 2, 3].map((at) => (
        <Skeleton key={at} height={88} mt={12} />
      ))}
    </>
  );
}
