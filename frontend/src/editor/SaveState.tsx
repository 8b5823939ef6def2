/** How much of the text is stored: a word that is always there, and what it means where that is not all well. */
import { Alert, Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { useLasting, useSpeech } from "../hooks";
import type { Key } from "../locale/fr";
import styles from "./SaveState.module.css";
import type { TextState } from "./sharedtext";

type Kind = TextState["kind"];

const MOODS: Readonly<Record<Kind, "good" | "busy" | "bad">> = {
  opening: "busy",
  saved: "good",
  saving: "busy",
  offline: "busy",
  signedOut: "bad",
  forbidden: "bad",
  tooLarge: "bad",
  refused: "bad",
};

/** What is stored within this time, and who is back within it, are not worth a sentence. */
const PATIENCE_MS = 4_000;

export function SaveBadge({ kind }: { readonly kind: Kind }): ReactNode {
  const { t } = useSpeech();
  return (
    <p className={styles["badge"]} data-mood={MOODS[kind]} data-save={kind}>
      <span className={styles["mark"]} aria-hidden="true" />
      {t(`editor.state.${kind}`)}
    </p>
  );
}

interface Props {
  readonly state: TextState;
  readonly onRetry: () => void;
  /** Give up what is not stored. */
  readonly onDiscard: () => void;
}

/** Says what a state means that is not all well, and what can be done. Said aloud once, politely, as is its end. */
export function SaveNotice({ state, onRetry, onDiscard }: Props): ReactNode {
  const { t } = useSpeech();
  const { kind } = state;
  const bad = MOODS[kind] === "bad";
  const slow = useLasting(kind === "saving", PATIENCE_MS);
  const away = useLasting(kind === "offline" || kind === "opening", PATIENCE_MS);
  const shown = bad || slow || away;
  const word = t(`editor.state.${kind}`);
  const meaning = kind === "saved" ? null : t(hint(kind, state));
  useSaid(meaning === null ? word : shown ? `${word}. ${meaning}` : null);
  if (!shown || meaning === null) return null;
  return (
    <Alert color={bad ? "red" : "orange"} role="group" title={word}>
      <div className="notice-line">
        <span>{meaning}</span>
        <span className={styles["actions"]}>
          {kind !== "saving" && kind !== "opening" && kind !== "signedOut" && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {t("editor.retry")}
            </Button>
          )}
          {(kind === "tooLarge" || kind === "refused") && state.unsaved && <Discard onDiscard={onDiscard} />}
        </span>
      </div>
    </Alert>
  );
}

function hint(kind: Exclude<Kind, "saved">, { loaded, unsaved }: TextState): Key {
  if (kind === "opening" || (kind === "offline" && !loaded)) return "editor.unreachable";
  if (kind === "offline" && unsaved) return "editor.offline.unsaved";
  return `editor.${kind}.hint`;
}

/** What is lost is asked about first. */
function Discard({ onDiscard }: { readonly onDiscard: () => void }): ReactNode {
  const { t } = useSpeech();
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <Button size="xs" variant="default" onClick={() => setAsking(true)}>
        {t("editor.discard")}
      </Button>
    );
  }
  return (
    <>
      <span>{t("editor.discard.ask")}</span>
      <Button size="xs" color="red" onClick={onDiscard}>
        {t("editor.discard.sure")}
      </Button>
      <Button size="xs" variant="default" onClick={() => setAsking(false)}>
        {t("editor.discard.keep")}
      </Button>
    </>
  );
}

/** Say each state that lasts, once; null: nothing is worth saying for the moment. What is so to begin with is not said. */
function useSaid(sentence: string | null): void {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const said = useRef(t("editor.state.saved"));
  useEffect(() => {
    if (sentence === null || sentence === said.current) return;
    said.current = sentence;
    announce(sentence);
  }, [sentence, announce]);
}
