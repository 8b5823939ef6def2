/** My bookings: those of whoever is signed in, live; without sign-in, those that were made in this tab. */
import { Alert, Button, Card, Container, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { type ReactNode, use, useEffect } from "react";
import { BookingsContext, useApi } from "../bookings";
import { BookingCard } from "../components/BookingCard";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { PageLink } from "../components/PageLink";
import { Unreachable } from "../components/Unreachable";
import { usePageTitle, useSpeech } from "../hooks";
import { newestFirst, useMyBookings } from "../mybookings";
import { useSession } from "../session";
import styles from "./MyBookings.module.css";

export function MyBookings(): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  usePageTitle(t("place.bookings"));
  return (
    <Container component="main" size="md" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("place.bookings")}</Title>
        <p className="muted">{t(session === null ? "mine.lead.tab" : "mine.lead")}</p>
      </div>
      <ConnectionNotice />
      {session === null ? <OfTab /> : <OfUser />}
    </Container>
  );
}

function OfUser(): ReactNode {
  const { t } = useSpeech();
  const { list, state, refusal, older, readOlder, again, put } = useMyBookings();
  const { all, update } = use(BookingsContext);
  const withoutSignIn = all.filter(({ userId }) => userId === undefined);
  return (
    <>
      {state === "unanswered" && <Unreachable onRetry={again} />}
      {state === "refused" && <Alert color="red" role="alert" title={refusal} />}
      {list.length > 0 ? (
        <List
          bookings={list}
          onCancelled={(booking) => {
            put(booking);
            update(booking);
          }}
        />
      ) : state === "reading" ? (
        <Loading />
      ) : (
        state === "read" && <Nothing />
      )}
      {older && (
        <Button variant="default" className={styles["older"]} loading={state === "reading"} onClick={readOlder}>
          {t("mine.older")}
        </Button>
      )}
      {withoutSignIn.length > 0 && (
        <section aria-labelledby="bookings-tab" className={styles["tab"]}>
          <Title order={2} size="h4" id="bookings-tab">
            {t("mine.tab")}
          </Title>
          <OfTab />
        </section>
      )}
    </>
  );
}

/** Those made without sign-in. The service knows whether somebody has cancelled one. */
function OfTab(): ReactNode {
  const api = useApi();
  const { all, update } = use(BookingsContext);
  const bookings = all.filter(({ userId }) => userId === undefined);
  const ids = bookings.map(({ id }) => id).join(" ");
  useEffect(() => {
    for (const id of ids.split(" ").filter(Boolean)) api.booking(id).then(update, () => undefined);
  }, [api, ids, update]);
  if (bookings.length === 0) return <Nothing />;
  return <List bookings={bookings.toSorted(newestFirst)} onCancelled={update} />;
}

interface ListProps {
  readonly bookings: readonly Booking[];
  readonly onCancelled: (booking: Booking) => void;
}

function List({ bookings, onCancelled }: ListProps): ReactNode {
  return (
    <ul className={styles["list"]}>
      {bookings.map((booking) => (
        <li key={booking.id}>
          <BookingCard booking={booking} onCancelled={onCancelled} />
        </li>
      ))}
    </ul>
  );
}

function Nothing(): ReactNode {
  const { t } = useSpeech();
  return (
    <Card withBorder padding="xl" className="empty">
      <p className="strong">{t("mine.none")}</p>
      <p>
        <PageLink to="/">{t("mine.none.hint")}</PageLink>
      </p>
    </Card>
  );
}

function Loading(): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      <VisuallyHidden role="status">{t("mine.loading")}</VisuallyHidden>
      {[0, 1].map((at) => (
        <Card key={at} withBorder padding="lg" mb={16} aria-hidden="true">
          <Skeleton height={22} width="45%" />
          <Skeleton height={48} mt={16} />
        </Card>
      ))}
    </>
  );
}
