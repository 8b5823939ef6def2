/** What was just told, for a moment. It is said aloud elsewhere (`useAnnounce`), and stays behind the bell. */
import type { Notice } from "@seatcast/client";
import { type ReactNode, useEffect, useState } from "react";
import { useSpeech } from "../hooks";
import { idOf } from "../notifications";
import { CrossIcon } from "./icons";
import styles from "./Toasts.module.css";

/** How long one stays, unless a pointer or the focus is on it. */
export const TOAST_MS = 6_000;

interface Props {
  readonly toasts: readonly Notice[];
  readonly onDone: (id: string) => void;
}

export function Toasts({ toasts, onDone }: Props): ReactNode {
  return (
    <ul className={styles["toasts"]}>
      {toasts.map((notice) => (
        <Toast key={idOf(notice)} notice={notice} onDone={onDone} />
      ))}
    </ul>
  );
}

function Toast({ notice, onDone }: { readonly notice: Notice; readonly onDone: Props["onDone"] }): ReactNode {
  const { t } = useSpeech();
  const [held, setHeld] = useState(false);
  const id = idOf(notice);
  useEffect(() => {
    if (held) return undefined;
    const timer = window.setTimeout(() => onDone(id), TOAST_MS);
    return () => window.clearTimeout(timer);
  }, [held, id, onDone]);
  const { type, tourName, seats } = notice;
  const title = t(`notices.${type}`);
  return (
    <li
      className={styles["toast"]}
      data-type={type}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <div>
        <p className="strong">{title}</p>
        <p className="muted">{seats === undefined ? tourName : t("notices.seats", { tour: tourName, count: seats })}</p>
      </div>
      <button type="button" className={styles["close"]} aria-label={t("notices.close", { what: title })} onClick={() => onDone(id)}>
        <CrossIcon />
      </button>
    </li>
  );
}
