/** Seats left in figures. A change leaves a tint for a moment. */
import { type ReactNode, useState } from "react";
import { useSpeech } from "../hooks";
import styles from "./SeatsFigure.module.css";

interface Props {
  readonly seats: number;
  readonly capacity: number | null;
}

export function SeatsFigure({ seats, capacity }: Props): ReactNode {
  const { t, number } = useSpeech();
  const [last, setLast] = useState<{ readonly seats: number; readonly turn?: "odd" | "even" }>({ seats });
  if (last.seats !== seats) setLast({ seats, turn: last.turn === "odd" ? "even" : "odd" });
  return (
    <p className={styles["seats"]}>
      <span className={styles["figure"]} data-seats={seats} data-changed={last.turn}>
        {number(seats)}
      </span>{" "}
      <span className={styles["unit"]}>
        {t("seats.unit", { count: seats })}
        {capacity !== null && <span className={styles["capacity"]}> {t("seats.capacity", { count: capacity })}</span>}
      </span>
    </p>
  );
}
