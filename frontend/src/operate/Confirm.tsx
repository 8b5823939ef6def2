/** A question before something that others notice: says what it does, and begins on the safe answer. */
import { Button, Title } from "@mantine/core";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useSpeech } from "../hooks";
import { type Outcome, OutcomeNotice } from "./sending";
import styles from "./operate.module.css";

interface Props {
  readonly title: string;
  /** What will happen, one sentence each. */
  readonly effects: readonly string[];
  readonly confirm: string;
  /** It takes something away. */
  readonly grave: boolean;
  readonly outcome: Outcome;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

export function Confirm({ title, effects, confirm, grave, outcome, onConfirm, onCancel }: Props): ReactNode {
  const { t } = useSpeech();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const effectsId = useId();
  // Before it is taken out of the page: closing gives the keyboard back its place.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const sending = outcome.kind === "sending";
  return (
    <dialog
      ref={dialog}
      className={styles["dialog"]}
      aria-labelledby={titleId}
      aria-describedby={effectsId}
      onCancel={(event) => {
        event.preventDefault();
        if (!sending) onCancel();
      }}
    >
      <Title order={2} size="h4" id={titleId}>
        {title}
      </Title>
      <ul id={effectsId} className={styles["effects"]}>
        {effects.map((effect) => (
          <li key={effect}>{effect}</li>
        ))}
      </ul>
      <OutcomeNotice outcome={outcome} placed={false} />
      <div className={styles["actions"]}>
        <Button variant="default" onClick={onCancel} disabled={sending}>
          {t("operate.cancel")}
        </Button>
        <Button {...(grave ? { color: "red.9" } : {})} onClick={onConfirm} loading={sending}>
          {confirm}
        </Button>
      </div>
    </dialog>
  );
}
