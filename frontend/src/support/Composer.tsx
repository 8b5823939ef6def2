/** Where a message is written: Enter sends it, and what is too long is said before it is sent. */
import { ActionIcon, VisuallyHidden } from "@mantine/core";
import { type Dispatch, type ReactNode, type Ref, type SetStateAction, useEffect, useId, useState } from "react";
import { useSpeech } from "../hooks";
import styles from "./Composer.module.css";
import { SendIcon } from "./icons";

/** Unicode characters, as the service counts them. */
export const MAX_CHARACTERS = 4_096;
/** From so many left on it is said how many. */
const NEAR = 200;

/** What was begun and not sent, by whom and to whom; until the page is left. */
const drafts = new Map<string, string>();

/** A text that is still there when its place on the screen was closed meanwhile. */
export function useDraft(name: string): [string, Dispatch<SetStateAction<string>>] {
  const [text, setText] = useState(() => drafts.get(name) ?? "");
  useEffect(() => {
    drafts.set(name, text);
  }, [name, text]);
  return [text, setText];
}

interface Props {
  readonly ref: Ref<HTMLTextAreaElement>;
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onSay: (text: string) => void;
}

export function Composer({ ref, label, text, onText, onSay }: Props): ReactNode {
  const { t } = useSpeech();
  const id = useId();
  const left = MAX_CHARACTERS - [...text.trim()].length;
  const sendable = text.trim() !== "" && left >= 0;
  const say = (): void => {
    if (sendable) onSay(text.trim());
  };
  return (
    <form
      className={styles["composer"]}
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      <textarea
        ref={ref}
        className={styles["field"]}
        aria-label={label}
        rows={1}
        dir="auto"
        placeholder={label}
        value={text}
        aria-describedby={`${id}-keys ${id}-left`}
        aria-invalid={left < 0}
        onChange={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          // While a character is being composed, Enter chooses it; with a finger, it is the only way to a new line.
          const begins = event.shiftKey || event.nativeEvent.isComposing || matchMedia("(pointer: coarse)").matches;
          if (event.key !== "Enter" || begins) return;
          event.preventDefault();
          say();
        }}
      />
      <ActionIcon type="submit" size={40} aria-label={t("chat.submit")} aria-disabled={!sendable}>
        <SendIcon />
      </ActionIcon>
      <p className={styles["notes"]}>
        <span id={`${id}-keys`} className={styles["keys"]}>
          {t("chat.keys")}
        </span>
        <span id={`${id}-left`} className={styles["left"]} data-over={left < 0}>
          {left < 0 ? t("chat.tooLong", { count: -left }) : left <= NEAR ? t("chat.left", { count: left }) : ""}
        </span>
      </p>
      {/* Said when it begins to be so, not at each key. */}
      <VisuallyHidden role="status">
        {left < 0 ? t("chat.over") : left <= NEAR ? t("chat.near", { count: NEAR }) : ""}
      </VisuallyHidden>
    </form>
  );
}
