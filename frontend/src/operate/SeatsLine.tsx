/** Sold, held and left, in figures that move as they are. */
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import type { Seats } from "./seats";
import styles from "./operate.module.css";

interface Props {
  readonly seats: Seats;
  /** Nobody can book: what is left is not for sale. */
  readonly closed: boolean;
}

export function SeatsLine({ seats, closed }: Props): ReactNode {
  const { t, number } = useSpeech();
  const figures = [
    ["sold", t("operate.seats.sold"), seats.sold],
    ["held", t("operate.seats.held"), seats.held],
    ["left", closed ? t("operate.seats.unsold") : t("operate.seats.left"), seats.left],
    ["capacity", t("operate.capacity"), seats.capacity],
  ] as const;
  return (
    <dl className={styles["seats"]}>
      {figures.map(([key, name, value]) => (
        <div key={key}>
          <dt>{name}</dt>
          <dd>{number(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether it is on sale, in a word and a shape as well as a colour. */
export function State({ closed, past = false }: { readonly closed: boolean; readonly past?: boolean }): ReactNode {
  const { t } = useSpeech();
  const state = past ? "past" : closed ? "closed" : "open";
  return (
    <span className={styles["state"]} data-state={state}>
      {t(`operate.state.${state}`)}
    </span>
  );
}
