/** Seats left in figures. A change is marked by a tint that fades; without motion, by the figure alone. */
import { type ReactNode, useState } from "react";
import { useSpeech } from "../hooks";

interface Props {
  readonly seats: number;
  readonly capacity: number | null;
}

export function SeatsFigure({ seats, capacity }: Props): ReactNode {
  const { t, number } = useSpeech();
  const [last, setLast] = useState({ seats, changes: 0 });
  if (last.seats !== seats) setLast({ seats, changes: last.changes + 1 });
  return (
    <p className="seats">
      <span className={last.changes > 0 ? "figure changed" : "figure"} key={last.changes}>
        {number(seats)}
      </span>{" "}
      <span className="unit">
        {t("seats.unit", { count: seats })}
        {capacity !== null && <span className="capacity"> {t("seats.capacity", { count: capacity })}</span>}
      </span>
    </p>
  );
}
