/** Beside a field in which somebody writes while somebody else has changed it: theirs, and which of the two is to be. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import styles from "./operate.module.css";

interface Props {
  readonly label: string;
  readonly theirs: string;
  readonly onTake: () => void;
  readonly onInsist: () => void;
}

export function Contested({ label, theirs, onTake, onInsist }: Props): ReactNode {
  const { t } = useSpeech();
  return (
    <div className={styles["contested"]} role="group" aria-label={t("operate.contested.group", { field: label })}>
      <p role="status">{t("operate.contested", { theirs })}</p>
      <div className={styles["actions"]}>
        <Button size="compact-sm" variant="default" onClick={onTake}>
          {t("operate.contested.take", { theirs })}
        </Button>
        <Button size="compact-sm" variant="default" onClick={onInsist}>
          {t("operate.contested.keep")}
        </Button>
      </div>
    </div>
  );
}
