/** The tours, live: all of them, or those that are looked for. */
import { Button, Card, Container, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import { useListState, useTours } from "@seatcast/client/react";
import { type ReactNode, useMemo, useRef } from "react";
import { useSearchParams } from "wouter";
import { useArrangement } from "../arrangement";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { TourCard } from "../components/TourCard";
import { TourSearch } from "../components/TourSearch";
import { Unreachable } from "../components/Unreachable";
import { usePageTitle, useSpeech } from "../hooks";
import { EVERYTHING, isNarrow, queryOf, type Wanted, wantedOf } from "../wanted";
import styles from "./TourDashboard.module.css";

export function TourDashboard(): ReactNode {
  const { t } = useSpeech();
  const onSale = useTours();
  const [query, setQuery] = useSearchParams();
  const wanted = useMemo(() => wantedOf(query), [query]);
  const { ids, outdated, again } = useArrangement(wanted);
  const textField = useRef<HTMLInputElement>(null);
  usePageTitle(null);

  // The page is the same one, however it is looked at: the back button leads to the page before it.
  const want = (change: Partial<Wanted>): void =>
    setQuery((now) => queryOf({ ...wantedOf(now), ...change }, now), { replace: true });
  // The button that was pressed goes away: the keyboard's place is the search.
  const showAll = (): void => {
    textField.current?.focus();
    want({ ...EVERYTHING, sort: wanted.sort });
  };
  return (
    <Container component="main" size="xl" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("page.heading")}</Title>
        <p className="muted">{t("page.lead")}</p>
      </div>
      <ConnectionNotice />
      <TourSearch wanted={wanted} onWant={want} textField={textField} />
      <div className={styles["found"]}>
        <p className="muted" role="status">
          {onSale.length > 0 &&
            (isNarrow(wanted)
              ? t("search.found", { count: ids.length, total: onSale.length })
              : t("list.count", { count: onSale.length }))}
        </p>
        <div className={styles["actions"]}>
          {outdated && (
            <Button
              variant="subtle"
              size="compact-sm"
              title={t("search.again.hint")}
              onClick={() => {
                textField.current?.focus();
                again();
              }}
            >
              {t("search.again")}
            </Button>
          )}
          {isNarrow(wanted) && ids.length > 0 && (
            <Button variant="subtle" size="compact-sm" onClick={showAll}>
              {t("search.all")}
            </Button>
          )}
        </div>
      </div>
      {ids.length > 0 ? (
        <ul className={styles["tours"]}>
          {ids.map((id) => (
            <li key={id}>
              <TourCard id={id} date={wanted.date} />
            </li>
          ))}
        </ul>
      ) : onSale.length > 0 ? (
        <Card withBorder padding="xl" className="empty">
          <p className="strong">{t("search.none")}</p>
          <p className="muted">{t("search.none.hint")}</p>
          <p>
            <Button mt="md" onClick={showAll}>
              {t("search.all")}
            </Button>
          </p>
        </Card>
      ) : (
        <NothingYet />
      )}
    </Container>
  );
}

/** Loading, empty and out of reach are three different things to tell. */
function NothingYet(): ReactNode {
  const { t } = useSpeech();
  const state = useListState();
  if (state === "failing") return <Unreachable />;
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
      <ul className={styles["tours"]} aria-hidden="true">
        {[0, 1, 2].map((at) => (
          <li key={at}>
            <Card withBorder padding="lg">
              <Skeleton height={26} width="55%" />
              <Skeleton height={52} width="75%" mt={20} />
              <Skeleton height={6} mt={16} />
              <Skeleton height={14} width="60%" mt={16} />
            </Card>
          </li>
        ))}
      </ul>
    </>
  );
}
