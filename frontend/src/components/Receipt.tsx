/** A booking that was made here: what it is, and the way to cancel it. */
import { Alert, Button, Group } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { type ReactNode, use, useRef, useState } from "react";
import { Refused } from "../api";
import { BookingsContext, useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { knownZone } from "../text";

interface Props {
  readonly booking: Booking;
  readonly timeZone: string | null;
  /** Name the tour: true away from its card. */
  readonly named?: boolean;
}

type Step = "shown" | "asking" | "sending";

export function Receipt({ booking, timeZone, named = false }: Props): ReactNode {
  const { t, money, day, time } = useSpeech();
  const api = useApi();
  const { put, dismiss } = use(BookingsContext);
  const [step, setStep] = useState<Step>("shown");
  const [failure, setFailure] = useState<string | null>(null);
  const cancelled = booking.status === "cancelled";
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
      put(await api.cancel(booking.id));
    } catch (error) {
      setFailure(error instanceof Refused ? error.message : t("receipt.cancel.unanswered"));
    }
    setStep("shown");
  };

  const zone = knownZone(timeZone);
  const start = booking.startsAt === undefined ? null : new Date(booking.startsAt);
  return (
    <Alert
      ref={root}
      tabIndex={-1}
      className="receipt"
      color={cancelled ? "gray" : "sea"}
      role="status"
      title={t(cancelled ? "receipt.cancelled" : "receipt.confirmed")}
      withCloseButton={cancelled}
      closeButtonLabel={t("receipt.close")}
      onClose={() => dismiss(booking.id)}
    >
      {named && <p className="strong">{booking.tourName}</p>}
      <p>{t("receipt.summary", { count: booking.seats, total: money(booking.total, booking.currency) })}</p>
      {start !== null && (
        <p>
          <time dateTime={booking.startsAt}>
            {day(start, zone, new Date())}, {time(start, zone)}
          </time>
        </p>
      )}
      <p className="reference">{t("receipt.reference", { id: booking.id })}</p>
      {cancelled && <p>{t("receipt.cancelled.hint", { count: booking.seats })}</p>}
      {failure !== null && (
        <p className="field-error" role="alert">
          {t("receipt.cancel.failed", { reason: failure })}
        </p>
      )}
      {!cancelled && (
        <Group gap="xs" mt="xs">
          {step === "shown" ? (
            <>
              <Button size="xs" variant="default" onClick={() => setStep("asking")}>
                {t("receipt.cancel")}
              </Button>
              <Button size="xs" variant="subtle" onClick={() => dismiss(booking.id)}>
                {t("receipt.close")}
              </Button>
            </>
          ) : (
            <>
              <span className="ask">{t("receipt.cancel.ask")}</span>
              <Button size="xs" color="red" autoFocus disabled={step === "sending"} onClick={() => void cancel()}>
                {t("receipt.cancel.sure")}
              </Button>
              <Button size="xs" variant="default" disabled={step === "sending"} onClick={() => show("shown")}>
                {t("receipt.cancel.keep")}
              </Button>
            </>
          )}
        </Group>
      )}
    </Alert>
  );
}
