/** Closing a tour and opening it again, each after saying what it does to seats and bookings. */
import { Button, Card, Title } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { Confirm } from "./Confirm";
import styles from "./operate.module.css";
import { changeTour } from "./operator";
import type { OperatedTour } from "./seats";
import { useSending } from "./sending";

interface Props {
  readonly tour: OperatedTour;
  readonly onChanged: () => Promise<void>;
}

export function Selling({ tour, onChanged }: Props): ReactNode {
  const { t } = useSpeech();
  const { insist } = useApi();
  const announce = useAnnounce();
  const [asking, setAsking] = useState(false);
  const { outcome, send, forget } = useSending();
  const headingId = useId();
  const { closed, dated, seats, name } = tour;
  const sold = seats.sold + tour.soldBefore;
  const effects = closed
    ? [t(dated ? "operate.reopen.dated" : "operate.reopen.undated"), t("operate.reopen.sold", { count: sold })]
    : [
        t("operate.close.unsold", { count: seats.left }),
        t("operate.close.sold", { count: sold }),
        ...(dated ? [t("operate.close.departures")] : []),
        t("operate.close.again"),
      ];
  const confirm = async (): Promise<void> => {
    if (!(await send(() => changeTour(insist, tour.id, { closed: !closed })))) return;
    setAsking(false);
    announce(t(closed ? "operate.tour.isOpen" : "operate.tour.isClosed", { name }));
    await onChanged();
  };
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby={headingId}>
      <Title order={2} size="h3" id={headingId}>
        {t("operate.selling")}
      </Title>
      <div className={styles["selling"]}>
        <p>{t(closed ? "operate.selling.closed" : "operate.selling.open")}</p>
        <Button
          variant={closed ? "filled" : "default"}
          className={closed ? "" : (styles["grave"] ?? "")}
          onClick={() => setAsking(true)}
        >
          {t(closed ? "operate.tour.reopen" : "operate.tour.close")}
        </Button>
      </div>
      {asking && (
        <Confirm
          title={t(closed ? "operate.tour.reopen.title" : "operate.tour.close.title", { name })}
          effects={effects}
          confirm={t(closed ? "operate.tour.reopen" : "operate.tour.close")}
          grave={!closed}
          outcome={outcome}
          onConfirm={() => void confirm()}
          onCancel={() => {
            setAsking(false);
            forget();
          }}
        />
      )}
    </Card>
  );
}
