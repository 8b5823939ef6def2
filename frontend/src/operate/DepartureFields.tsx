/** Date, time and capacity of a departure, in the tour's time zone; and which time, where that one comes twice. */
import "@mantine/core/styles/Input.css";
import { TextInput } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useSpeech } from "../hooks";
import { type DepartureField, type DepartureForm, turnName, turnsOf } from "./departureForm";
import type { Mistakes } from "./mistakes";
import styles from "./operate.module.css";

interface Props {
  readonly form: DepartureForm;
  readonly zone: string;
  readonly mistakes: Mistakes<DepartureField>;
  readonly onChange: (change: Partial<DepartureForm>) => void;
  /** What stands beside date and time, and beside the capacity. */
  readonly besideStart?: ReactNode;
  readonly besideCapacity?: ReactNode;
}

export function DepartureFields({ form, zone, mistakes, onChange, besideStart, besideCapacity }: Props): ReactNode {
  const { t } = useSpeech();
  const name = useId();
  const turns = turnsOf(form, zone);
  return (
    <div className={styles["departureFields"]}>
      <div>
        <div className={styles["start"]}>
          <TextInput
            type="date"
            label={t("operate.date")}
            error={mistakes.date}
            value={form.date}
            required
            withAsterisk={false}
            onChange={(event) => onChange({ date: event.currentTarget.value, turn: null })}
          />
          <TextInput
            type="time"
            label={t("operate.time")}
            error={mistakes.time}
            value={form.time}
            required
            withAsterisk={false}
            onChange={(event) => onChange({ time: event.currentTarget.value, turn: null })}
          />
        </div>
        {turns.length > 0 && (
          <fieldset className={styles["turns"]}>
            <legend>{t("operate.turn", { time: form.time })}</legend>
            {turns.map((moment, at) => (
              <label key={moment.toISOString()}>
                <input
                  type="radio"
                  name={name}
                  checked={form.turn === at}
                  onChange={() => onChange({ turn: at === 0 ? 0 : 1 })}
                />
                {turnName({ t }, moment, at, zone)}
              </label>
            ))}
          </fieldset>
        )}
        {besideStart}
      </div>
      <div>
        <TextInput
          label={t("operate.capacity")}
          inputMode="numeric"
          autoComplete="off"
          error={mistakes.capacity}
          value={form.capacity}
          required
          withAsterisk={false}
          onChange={(event) => onChange({ capacity: event.currentTarget.value })}
        />
        {besideCapacity}
      </div>
    </div>
  );
}
