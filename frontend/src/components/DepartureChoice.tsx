/** A dated tour's open departures, by day in the tour's zone, each with its seats: the list and the choice in one. */
import { Button } from "@mantine/core";
import type { DepartureView } from "@seatcast/client";
import { type ReactNode, useId, useState } from "react";
import { useSpeech } from "../hooks";
import { knownZone } from "../text";
import styles from "./DepartureChoice.module.css";
import { SeatsLevel } from "./SeatsLevel";

interface Props {
  readonly departures: readonly DepartureView[];
  readonly timeZone: string | null;
  readonly chosen: string | null;
  readonly disabled: boolean;
  /** The sentence that says what is wrong with the choice, if something is. */
  readonly error: string | null;
  readonly onChoose: (departureId: string) => void;
}

const SHOWN_AT_FIRST = 5;

export function DepartureChoice({ departures, timeZone, chosen, disabled, error, onChoose }: Props): ReactNode {
  const { t, day, zone: zoneName } = useSpeech();
  const [all, setAll] = useState(false);
  const name = useId();
  const errorId = useId();
  const zone = knownZone(timeZone);

  // One more than promised is shown rather than a button for a single line.
  const cut = all || departures.length <= SHOWN_AT_FIRST + 1 ? departures.length : SHOWN_AT_FIRST;
  const shown = departures.filter(({ id }, at) => at < cut || id === chosen);
  const now = new Date();
  const days = Map.groupBy(shown, ({ startsAt }) => day(new Date(startsAt), zone, now));

  return (
    <fieldset className={styles["departures"]} disabled={disabled} aria-describedby={error === null ? undefined : errorId}>
      <legend>
        {t("tour.departures")}
        <span className="muted"> ({zoneName(now, zone)})</span>
      </legend>
      {[...days].map(([heading, ofDay]) => (
        <div key={heading} className={styles["day"]} role="group" aria-label={heading}>
          <p className={styles["name"]} aria-hidden="true">
            {heading}
          </p>
          {ofDay.map((departure) => (
            <DepartureRow
              key={departure.id}
              departure={departure}
              zone={zone}
              name={name}
              chosen={departure.id === chosen}
              onChoose={onChoose}
            />
          ))}
        </div>
      ))}
      {shown.length < departures.length && (
        <Button variant="subtle" size="compact-sm" type="button" className={styles["more"]} onClick={() => setAll(true)}>
          {t("tour.moreDepartures", { count: departures.length - shown.length })}
        </Button>
      )}
      {error !== null && (
        <p className={styles["error"]} id={errorId} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}

interface RowProps {
  readonly departure: DepartureView;
  readonly zone: string;
  readonly name: string;
  readonly chosen: boolean;
  readonly onChoose: (departureId: string) => void;
}

function DepartureRow({ departure, zone, name, chosen, onChoose }: RowProps): ReactNode {
  const { t, time } = useSpeech();
  const { id, startsAt, availableSeats } = departure;
  return (
    <label className={styles["departure"]} data-full={availableSeats === 0 || undefined}>
      <input
        type="radio"
        name={name}
        value={id}
        checked={chosen}
        // A choice that sells out stays enabled, or the keyboard would lose its place.
        disabled={availableSeats === 0 && !chosen}
        onChange={() => onChoose(id)}
      />
      <time dateTime={startsAt}>{time(new Date(startsAt), zone)}</time>
      <span className={styles["state"]}>
        <span>{t("seats.count", { count: availableSeats })}</span>
        <SeatsLevel seats={availableSeats} />
      </span>
    </label>
  );
}
