/** How many seats: a field to type in, a step down and a step up. */
import { ActionIcon } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import styles from "./BookingForm.module.css";

const MOST_SEATS = 100_000;

/** The number of seats in a field, or null when it is not a whole number of at least 1. */
export function seatsIn(field: string): number | null {
  const seats = /^\d{1,6}$/.test(field.trim()) ? Number(field) : 0;
  return seats >= 1 && seats <= MOST_SEATS ? seats : null;
}

interface Props {
  /** What is written in the field. */
  readonly field: string;
  readonly disabled: boolean;
  /** The id of the sentence about it, if there is one. */
  readonly describedBy: string | undefined;
  readonly onChange: (field: string) => void;
}

export function SeatsField({ field, disabled, describedBy, onChange }: Props): ReactNode {
  const { t } = useSpeech();
  const seats = seatsIn(field);
  const step = (by: number): void => onChange(String(Math.max(1, (seats ?? 1) + by)));
  return (
    <div className={styles["stepper"]} role="group" aria-label={t("booking.seats")}>
      <ActionIcon
        variant="default"
        size={44}
        type="button"
        aria-label={t("booking.seats.less")}
        disabled={disabled || (seats ?? 1) <= 1}
        onClick={() => step(-1)}
      >
        −
      </ActionIcon>
      <input
        aria-label={t("booking.seats")}
        aria-invalid={seats === null}
        aria-describedby={describedBy}
        inputMode="numeric"
        autoComplete="off"
        maxLength={6}
        value={field}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          step(event.key === "ArrowUp" ? 1 : -1);
        }}
      />
      <ActionIcon
        variant="default"
        size={44}
        type="button"
        aria-label={t("booking.seats.more")}
        disabled={disabled}
        onClick={() => step(1)}
      >
        +
      </ActionIcon>
    </div>
  );
}
