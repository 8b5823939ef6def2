/** The way to cancel a booking: a question first, then what came of it. */
import { Button, Group } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { type ReactNode, useRef, useState } from "react";
import { Refused } from "../api";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import styles from "./CancelBooking.module.css";

interface Props {
  readonly booking: Booking;
  readonly onCancelled: (booking: Booking) => void;
  /** What else can be done, beside the first button. */
  readonly children?: ReactNode;
}

type Step = "shown" | "asking" | "sending";

export function CancelBooking({ booking, onCancelled, children }: Props): ReactNode {
  const { t } = useSpeech();
  const api = useApi();
  const [step, setStep] = useState<Step>("shown");
  const [failure, setFailure] = useState<string | null>(null);
  const root = useRef<HTMLDivElement>(null);

  /** The button that was pressed goes away: keep the keyboard here. */
  const show = (next: Step): void => {
    root.current?.focus();
    setStep(next);
  };
  const cancel = async (): Promise<void> => {
    show("sending");
    setFailure(null);
    try {
      onCancelled(await api.cancel(booking.id));
    } catch (error) {
      setFailure(error instanceof Refused ? error.message : t("receipt.cancel.unanswered"));
    }
    setStep("shown");
  };

  return (
    <div ref={root} tabIndex={-1} className={styles["root"]}>
      {failure !== null && (
        <p className={styles["error"]} role="alert">
          {t("receipt.cancel.failed", { reason: failure })}
        </p>
      )}
      {booking.status === "cancelled" ? (
        <p role="status">{t("receipt.cancelled.hint", { count: booking.seats })}</p>
      ) : step === "shown" ? (
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setStep("asking")}>
            {t("receipt.cancel")}
          </Button>
          {children}
        </Group>
      ) : (
        <Group gap="xs">
          <span>{t("receipt.cancel.ask")}</span>
          <Button size="xs" color="red" autoFocus disabled={step === "sending"} onClick={() => void cancel()}>
            {t("receipt.cancel.sure")}
          </Button>
          <Button size="xs" variant="default" disabled={step === "sending"} onClick={() => show("shown")}>
            {t("receipt.cancel.keep")}
          </Button>
        </Group>
      )}
    </div>
  );
}
