/** Choose a departure and a number of seats, and book. The service decides; what it answers is what is shown. */
import { ActionIcon, Alert, Button, Group, Loader } from "@mantine/core";
import type { TourView } from "@seatcast/client";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { type Attempt, useBooking } from "../bookings";
import { useSpeech } from "../hooks";
import type { Speech } from "../text";
import { DepartureChoice } from "./DepartureChoice";

const MOST_SEATS = 100_000;

/** The number of seats in a field, or null when it is not a whole number of at least 1. */
export function seatsIn(field: string): number | null {
  const seats = /^\d{1,6}$/.test(field.trim()) ? Number(field) : 0;
  return seats >= 1 && seats <= MOST_SEATS ? seats : null;
}

export function BookingForm({ tour }: { readonly tour: TourView }): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const { attempt, book, again, forget } = useBooking();
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [field, setField] = useState("1");
  const [missing, setMissing] = useState(false);
  const fieldId = useId();
  const hintId = useId();
  const submitButton = useRef<HTMLButtonElement>(null);

  const { departures } = tour;
  const [only] = departures.length === 1 ? departures : [];
  const chosen = only ?? departures.find(({ id }) => id === chosenId) ?? null;
  const seats = seatsIn(field);
  const left = chosen?.availableSeats ?? (departures.length === 0 ? tour.availableSeats : null);
  const locked = attempt.kind === "sending" || attempt.kind === "unanswered";
  const soldOut = tour.availableSeats === 0;
  const short = seats !== null && left !== null && left < seats && !soldOut;
  const hint = seats === null ? t("booking.seats.invalid") : short ? leftOnly(speech, left) : null;

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (locked || soldOut || seats === null) return;
    if (chosen === null && departures.length > 0) {
      setMissing(true);
      return;
    }
    if (await book({ tourId: tour.id, departureId: chosen?.id ?? null, seats })) setField("1");
  };
  const step = (by: number): void => setField(String(Math.max(1, (seats ?? 1) + by)));

  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="booking">
      {departures.length > 0 && (
        <DepartureChoice
          departures={departures}
          timeZone={tour.timeZone}
          chosen={chosen?.id ?? null}
          disabled={locked}
          error={missing && chosen === null ? t("booking.departure.missing") : null}
          onChoose={(id) => {
            setChosenId(id);
            setMissing(false);
          }}
        />
      )}
      <div className="booking-line">
        <div className="stepper" role="group" aria-label={t("booking.seats")}>
          <ActionIcon
            variant="default"
            size={40}
            type="button"
            aria-label={t("booking.seats.less")}
            disabled={locked || (seats ?? 1) <= 1}
            onClick={() => step(-1)}
          >
            −
          </ActionIcon>
          <input
            id={fieldId}
            aria-label={t("booking.seats")}
            aria-invalid={seats === null}
            aria-describedby={hint === null ? undefined : hintId}
            inputMode="numeric"
            autoComplete="off"
            maxLength={6}
            value={field}
            disabled={locked}
            onChange={(event) => setField(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
              event.preventDefault();
              step(event.key === "ArrowUp" ? 1 : -1);
            }}
          />
          <ActionIcon
            variant="default"
            size={40}
            type="button"
            aria-label={t("booking.seats.more")}
            disabled={locked}
            onClick={() => step(1)}
          >
            +
          </ActionIcon>
        </div>
        {/* Not `disabled`: the keyboard would lose its place on it while the answer is under way. */}
        <Button
          ref={submitButton}
          type="submit"
          className="book"
          aria-disabled={locked || soldOut}
          {...(locked || soldOut ? { "data-disabled": true } : {})}
        >
          {attempt.kind === "sending" ? (
            <>
              <Loader size={14} color="currentColor" mr={8} aria-hidden="true" />
              {t("booking.sending")}
            </>
          ) : soldOut ? (
            t("level.none")
          ) : seats !== null && tour.price !== null && tour.price > 0 && tour.currency !== null ? (
            t("booking.submit.total", { total: speech.money(tour.price * seats, tour.currency) })
          ) : (
            t("booking.submit")
          )}
        </Button>
      </div>
      {hint !== null && (
        <p className={seats === null ? "field-error" : "field-hint"} id={hintId}>
          {hint}
        </p>
      )}
      <Outcome
        attempt={attempt}
        onAgain={() => {
          submitButton.current?.focus();
          void again();
        }}
        onForget={() => {
          submitButton.current?.focus();
          forget();
        }}
      />
    </form>
  );
}

interface OutcomeProps {
  readonly attempt: Attempt;
  readonly onAgain: () => void;
  readonly onForget: () => void;
}

function Outcome({ attempt, onAgain, onForget }: OutcomeProps): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const retry = useRef<HTMLButtonElement>(null);
  // The form was locked under the keyboard; its place is the question that is now open.
  useEffect(() => {
    if (attempt.kind === "unanswered") retry.current?.focus();
  }, [attempt.kind]);

  if (attempt.kind === "refused") {
    return (
      <Alert
        color="red"
        role="alert"
        title={t("booking.refused")}
        withCloseButton
        closeButtonLabel={t("receipt.close")}
        onClose={onForget}
      >
        {attempt.sentence.replace(/\.?$/, ".")}
        {attempt.left !== null && ` ${leftOnly(speech, attempt.left)}`}
      </Alert>
    );
  }
  if (attempt.kind === "unanswered") {
    return (
      <Alert color="orange" role="alert" title={t("booking.unanswered")}>
        <p>{t("booking.unanswered.hint")}</p>
        <Group gap="xs" mt="xs">
          <Button ref={retry} size="xs" type="button" onClick={onAgain}>
            {t("booking.retry")}
          </Button>
          <Button size="xs" type="button" variant="default" onClick={onForget}>
            {t("booking.abandon")}
          </Button>
        </Group>
      </Alert>
    );
  }
  return null;
}

function leftOnly({ t }: Speech, left: number): string {
  return left === 0 ? t("booking.left.none") : t("booking.left", { count: left });
}
