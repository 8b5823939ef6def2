/** Choose a departure and a number of seats, and book. The service decides; what it answers is what is shown. */
import { Button, Loader } from "@mantine/core";
import type { Booking, DepartureView, TourView } from "@seatcast/client";
import { useConnectionStatus } from "@seatcast/client/react";
import { type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { useBooking } from "../attempt";
import { useNowAt, useSpeech } from "../hooks";
import type { Speech } from "../text";
import styles from "./BookingForm.module.css";
import { BookingOutcome, leftOnly } from "./BookingOutcome";
import { DepartureChoice } from "./DepartureChoice";
import { SeatsField, seatsIn } from "./SeatsField";

interface Props {
  readonly tour: TourView;
  readonly onBooked: (booking: Booking) => void;
}

export function BookingForm({ tour, onBooked }: Props): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [field, setField] = useState("1");
  const [missing, setMissing] = useState(false);
  const { attempt, book, again, forget } = useBooking((booking) => {
    setField("1");
    onBooked(booking);
  });
  const hintId = useId();
  const submitButton = useRef<HTMLButtonElement>(null);
  const offline = useConnectionStatus().kind === "offline";

  const { departures, chosen, gone } = useDepartures(tour, chosenId);
  const dated = tour.departures.length > 0;
  const seats = seatsIn(field);
  const left = chosen?.availableSeats ?? (dated ? null : tour.availableSeats);
  const soldOut = tour.availableSeats === 0 || left === 0;
  const sending = attempt.kind === "sending";
  const locked = sending || attempt.kind === "unanswered";
  const blocked = locked || soldOut || offline;
  const hint = hintFor(speech, { seats, left, offline, soldOut });

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (blocked || seats === null) return;
    if (chosen === null && dated) setMissing(true);
    else void book({ tourId: tour.id, departureId: chosen?.id ?? null, seats });
  };
  const nothingOnSale = tour.capacity === 0 || (dated && departures.length === 0);

  return (
    <form onSubmit={submit} noValidate className={styles["form"]}>
      {nothingOnSale ? (
        <div>
          <p className="strong">{t("booking.nothing")}</p>
          <p className="muted">{t("booking.nothing.hint")}</p>
        </div>
      ) : (
        <>
          {tour.availableSeats === 0 && <p className="muted">{t("booking.full.hint")}</p>}
          {dated && (
            <DepartureChoice
              departures={departures}
              timeZone={tour.timeZone}
              chosen={chosen?.id ?? null}
              disabled={locked}
              error={gone ? t("booking.departure.gone") : missing && chosen === null ? t("booking.departure.missing") : null}
              onChoose={(id) => {
                setChosenId(id);
                setMissing(false);
              }}
            />
          )}
          <div className={styles["line"]}>
            <SeatsField
              field={field}
              disabled={locked}
              describedBy={hint === null ? undefined : hintId}
              onChange={setField}
            />
            {/* Not `disabled`: the keyboard would lose its place on it while the answer is under way. */}
            <Button
              ref={submitButton}
              type="submit"
              className={styles["book"]}
              aria-disabled={blocked}
              aria-describedby={hint === null ? undefined : hintId}
              {...(blocked ? { "data-disabled": true } : {})}
            >
              {sending && <Loader size={14} color="currentColor" mr={8} aria-hidden="true" />}
              {sending ? t("booking.sending") : soldOut ? t("level.none") : offer(speech, tour, seats)}
            </Button>
          </div>
          {hint !== null && (
            <p className={styles[seats === null ? "error" : "hint"]} id={hintId}>
              {hint}
            </p>
          )}
        </>
      )}
      <BookingOutcome
        attempt={attempt}
        onTake={(most) => {
          submitButton.current?.focus();
          setField(String(most));
          forget();
        }}
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

interface Departures {
  /** Those that have not left yet. */
  readonly departures: readonly DepartureView[];
  /** The one that was chosen, or the only one there is. */
  readonly chosen: DepartureView | null;
  /** One was chosen, and is no longer on sale. */
  readonly gone: boolean;
}

function useDepartures({ departures: open }: TourView, chosenId: string | null): Departures {
  const now = useNowAt(open.map(({ startsAt }) => startsAt));
  const departures = open.filter(({ startsAt }) => Date.parse(startsAt) > now.getTime());
  const found = departures.find(({ id }) => id === chosenId);
  // Never another one in place of the one that somebody chose.
  const [only] = departures.length === 1 && chosenId === null ? departures : [];
  return { departures, chosen: found ?? only ?? null, gone: chosenId !== null && found === undefined };
}

interface Wanted {
  readonly seats: number | null;
  readonly left: number | null;
  readonly offline: boolean;
  readonly soldOut: boolean;
}

function hintFor(speech: Speech, { seats, left, offline, soldOut }: Wanted): string | null {
  if (offline) return speech.t("booking.offline");
  if (seats === null) return speech.t("booking.seats.invalid");
  return left !== null && left < seats && !soldOut ? leftOnly(speech, left) : null;
}

/** What the button says: the price too, where there is one. */
function offer({ t, money }: Speech, { price, currency }: TourView, seats: number | null): string {
  if (seats === null || price === null || price <= 0 || currency === null) return t("booking.submit");
  return t("booking.submit.total", { total: money(price * seats, currency) });
}
