/** What is behind the bell: each thing that the person was told, when it was, and how to put it away. */
import { Button } from "@mantine/core";
import { type ReactNode, useRef } from "react";
import { useSpeech } from "../hooks";
import type { Told } from "../notifications";
import { CrossIcon } from "./icons";
import styles from "./NotificationList.module.css";

interface Props {
  readonly told: readonly Told[];
  readonly onRead: () => void;
  readonly onDismiss: (id: string) => void;
}

export function NotificationList({ told, onRead, onDismiss }: Props): ReactNode {
  const { t } = useSpeech();
  const list = useRef<HTMLDivElement>(null);
  return (
    <div ref={list} tabIndex={-1} className={styles["list"]}>
      <div className={styles["head"]}>
        <p className="strong">{t("notices")}</p>
        {told.some(({ fresh }) => fresh) && (
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => {
              // The button goes, and the focus is not to go with it.
              list.current?.focus();
              onRead();
            }}
          >
            {t("notices.read")}
          </Button>
        )}
      </div>
      {told.length === 0 ? (
        <>
          <p>{t("notices.none")}</p>
          <p className={styles["hint"]}>{t("notices.none.hint")}</p>
        </>
      ) : (
        <ul>
          {told.map((one) => (
            <One
              key={one.id}
              told={one}
              onDismiss={() => {
                list.current?.focus();
                onDismiss(one.id);
              }}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function One({ told, onDismiss }: { readonly told: Told; readonly onDismiss: () => void }): ReactNode {
  const { t, clock } = useSpeech();
  const { type, tourName, seats, timestamp } = told.notice;
  const title = t(`notices.${type}`);
  return (
    <li className={styles["one"]} data-fresh={told.fresh || undefined}>
      <div>
        <p className="strong">
          {title} {told.fresh && <span className={styles["fresh"]}>{t("notices.fresh")}</span>}
        </p>
        <p>{seats === undefined ? tourName : t("notices.seats", { tour: tourName, count: seats })}</p>
        <p className={styles["hint"]}>
          <time dateTime={timestamp}>{clock(new Date(timestamp), new Date())}</time>
        </p>
      </div>
      <button
        type="button"
        className={styles["away"]}
        aria-label={t("notices.dismiss", { what: title, tour: tourName })}
        onClick={onDismiss}
      >
        <CrossIcon />
      </button>
    </li>
  );
}
