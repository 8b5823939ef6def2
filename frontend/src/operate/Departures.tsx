/** A dated tour's departures: the ones to come with what can be done to them, the ones that have left, and another one. */
import { Button, Card, Title } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { knownZone } from "../text";
import { Confirm } from "./Confirm";
import { AddDeparture, ChangeDeparture } from "./DepartureForms";
import styles from "./operate.module.css";
import { changeDeparture } from "./operator";
import type { OperatedDeparture, OperatedTour } from "./seats";
import { SeatsLine, State } from "./SeatsLine";
import { useSending } from "./sending";
import { offsetName } from "./zoned";

interface Props {
  readonly tour: OperatedTour;
  readonly onChanged: () => Promise<void>;
}

export function Departures({ tour, onChanged }: Props): ReactNode {
  const { t } = useSpeech();
  const headingId = useId();
  const addId = useId();
  const zone = knownZone(tour.timeZone);
  const now = new Date();
  const past = tour.departures.filter((departure) => hasLeft(departure, now));
  const coming = tour.departures.filter((departure) => !hasLeft(departure, now));
  const rows = (departures: readonly OperatedDeparture[]): ReactNode => (
    <ul className={styles["departures"]}>
      {departures.map((departure) => (
        <li key={departure.id}>
          <Departure tour={tour} departure={departure} zone={zone} past={hasLeft(departure, now)} onChanged={onChanged} />
        </li>
      ))}
    </ul>
  );
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby={headingId}>
      <Title order={2} size="h3" id={headingId}>
        {t("operate.departures")}
      </Title>
      <p className="muted">{t("operate.departures.zone", { zone: tour.timeZone.replaceAll("_", " "), offset: offsetName(now, zone) })}</p>
      {coming.length > 0 ? rows(coming) : <p className={styles["none"]}>{t("operate.departures.none")}</p>}
      {past.length > 0 && (
        <details className={styles["past"]}>
          <summary>{t("operate.departures.past", { count: past.length })}</summary>
          {rows([...past].reverse())}
        </details>
      )}
      {tour.closed ? (
        <p className={styles["hint"]}>{t("operate.departures.closed")}</p>
      ) : (
        <section aria-labelledby={addId} className={styles["add"]}>
          <Title order={3} size="h5" id={addId}>
            {t("operate.departure.new")}
          </Title>
          <AddDeparture tourId={tour.id} zone={zone} onChanged={onChanged} />
        </section>
      )}
    </Card>
  );
}

function hasLeft({ startsAt }: OperatedDeparture, now: Date): boolean {
  return new Date(startsAt) <= now;
}

interface DepartureProps extends Props {
  readonly departure: OperatedDeparture;
  readonly zone: string;
  readonly past: boolean;
}

function Departure({ tour, departure, zone, past, onChanged }: DepartureProps): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const { insist } = useApi();
  const announce = useAnnounce();
  const [doing, setDoing] = useState<"change" | "close" | null>(null);
  const { outcome, send, forget } = useSending();
  const nameId = useId();
  const moment = new Date(departure.startsAt);
  const when = t("operate.departure.when", {
    day: speech.day(moment, zone, new Date()),
    time: speech.time(moment, zone),
  });
  const setClosed = async (closed: boolean): Promise<void> => {
    if (!(await send(() => changeDeparture(insist, tour.id, departure.id, { closed })))) return;
    setDoing(null);
    announce(t(closed ? "operate.departure.isClosed" : "operate.departure.isOpen", { when }));
    await onChanged();
  };
  return (
    <article className={styles["departure"]} aria-labelledby={nameId} data-closed={departure.closed || past || undefined}>
      <div className={styles["departureHead"]}>
        <Title order={3} size="h5" id={nameId}>
          <time dateTime={departure.startsAt}>{when}</time>
        </Title>
        <State closed={departure.closed} past={past} />
      </div>
      <SeatsLine seats={departure} closed={departure.closed || past} />
      {doing === "change" ? (
        <ChangeDeparture
          tourId={tour.id}
          zone={zone}
          departure={departure}
          onChanged={onChanged}
          onDone={() => setDoing(null)}
        />
      ) : (
        !past && (
          <div className={styles["actions"]}>
            <Button size="xs" variant="default" aria-describedby={nameId} onClick={() => setDoing("change")}>
              {t("operate.change")}
            </Button>
            {departure.closed ? (
              !tour.closed && (
                <Button
                  size="xs"
                  variant="default"
                  aria-describedby={nameId}
                  loading={outcome.kind === "sending"}
                  onClick={() => void setClosed(false)}
                >
                  {t("operate.reopen")}
                </Button>
              )
            ) : (
              <Button size="xs" variant="default" aria-describedby={nameId} onClick={() => setDoing("close")}>
                {t("operate.close")}
              </Button>
            )}
          </div>
        )
      )}
      {doing === "close" && (
        <Confirm
          title={t("operate.departure.close.title", { when })}
          effects={[
            t("operate.close.unsold", { count: departure.left }),
            t("operate.close.sold", { count: departure.sold }),
            t("operate.departure.close.again"),
          ]}
          confirm={t("operate.departure.close.confirm")}
          grave
          outcome={outcome}
          onConfirm={() => void setClosed(true)}
          onCancel={() => {
            setDoing(null);
            forget();
          }}
        />
      )}
    </article>
  );
}
