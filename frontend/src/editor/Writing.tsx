/** The half of the editor that is written in: the text, whether it is stored, and who else is there. */
import { ActionIcon, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import { type ReactNode, useCallback, useId, useState, useSyncExternalStore } from "react";
import { useAnnounce } from "../components/Announcer";
import { RedoIcon, UndoIcon } from "../components/icons";
import { useSpeech } from "../hooks";
import type { Session } from "../session";
import { roomLeft } from "./limit";
import { People } from "./People";
import { SaveBadge, SaveNotice } from "./SaveState";
import type { SharedText, TextState } from "./sharedtext";
import { TextBox } from "./TextBox";
import { useSharedText } from "./useSharedText";
import styles from "./Writing.module.css";

/** The field of a tour's document that everybody may read. */
const FIELD = "description";
const OPENING: TextState = { kind: "opening", loaded: false, unsaved: false };

export function Writing({ tourId, session }: { readonly tourId: string; readonly session: Session }): ReactNode {
  const { t } = useSpeech();
  const { shared, discard } = useSharedText(tourId, FIELD, session);
  const state = useStateOf(shared);
  const label = useId();
  const notice = <SaveNotice state={state} onRetry={() => shared?.retry()} onDiscard={discard} />;
  return (
    <section aria-labelledby={label}>
      <div className={styles["head"]}>
        <Title order={2} size="h4" id={label}>
          {t("editor.label")}
        </Title>
        <SaveBadge kind={state.kind} />
      </div>
      {shared === null || !state.loaded ? (
        <Opening notice={notice} />
      ) : (
        <Opened shared={shared} state={state} label={label} notice={notice} />
      )}
    </section>
  );
}

function useStateOf(shared: SharedText | null): TextState {
  const watch = useCallback((wake: () => void) => shared?.watch(wake) ?? (() => undefined), [shared]);
  return useSyncExternalStore(watch, () => shared?.state() ?? OPENING);
}

/** The text is not known: whoever wrote now would write blindly. */
function Opening({ notice }: { readonly notice: ReactNode }): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      {notice}
      <VisuallyHidden role="status">{t("editor.state.opening")}</VisuallyHidden>
      <Skeleton height={24} width="40%" />
      <Skeleton height={280} mt={12} />
    </>
  );
}

interface OpenedProps {
  readonly shared: SharedText;
  readonly state: TextState;
  /** The id of the heading that names the box. */
  readonly label: string;
  readonly notice: ReactNode;
}

function Opened({ shared, state, label, notice }: OpenedProps): ReactNode {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const [text, setText] = useState("");
  const [full, setFull] = useState(false);
  const people = useSyncExternalStore(shared.watch, shared.people);
  const hint = useId();
  return (
    <>
      <People people={people} connected={state.kind === "saved" || state.kind === "saving"} />
      <TextBox
        shared={shared}
        writable={state.kind !== "forbidden"}
        placeholder={t("editor.placeholder")}
        labelledBy={label}
        describedBy={hint}
        onText={(written) => {
          setText(written);
          setFull(false);
        }}
        onFull={() => {
          setFull(true);
          announce(t("editor.full"));
        }}
      />
      {/* Below: what is being typed stays where it is. */}
      <div className={styles["notice"]}>{notice}</div>
      <div className={styles["foot"]}>
        <div>
          {full && <p className="field-error">{t("editor.full")}</p>}
          <Length text={text} />
          <p className="muted" id={hint}>
            {t("editor.hint")}
          </p>
        </div>
        <UndoButtons shared={shared} />
      </div>
    </>
  );
}

/** How long the text is; how much longer it may be, once that is not much. */
function Length({ text }: { readonly text: string }): ReactNode {
  const { t } = useSpeech();
  const left = roomLeft(text);
  if (left === null) return <p className="muted">{t("editor.length", { count: [...text].length })}</p>;
  if (left < 0) return <p className="field-error">{t("editor.over", { count: -left })}</p>;
  return <p className="field-hint">{t("editor.left", { count: left })}</p>;
}

/** For those without a keyboard. What others wrote is not undone. */
function UndoButtons({ shared }: { readonly shared: SharedText }): ReactNode {
  const { t } = useSpeech();
  const { undo } = shared;
  const watch = useCallback(
    (wake: () => void) => {
      const events = ["stack-item-added", "stack-item-popped", "stack-cleared"] as const;
      for (const event of events) undo.on(event, wake);
      return () => {
        for (const event of events) undo.off(event, wake);
      };
    },
    [undo],
  );
  const can = useSyncExternalStore(watch, () => undo.canUndo());
  const canAgain = useSyncExternalStore(watch, () => undo.canRedo());
  return (
    <div className={styles["undo"]}>
      <IconButton label={t("editor.undo")} can={can} onClick={() => undo.undo()}>
        <UndoIcon />
      </IconButton>
      <IconButton label={t("editor.redo")} can={canAgain} onClick={() => undo.redo()}>
        <RedoIcon />
      </IconButton>
    </div>
  );
}

interface IconButtonProps {
  readonly label: string;
  readonly can: boolean;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

/** It keeps the focus when there is nothing left to do. */
function IconButton({ label, can, onClick, children }: IconButtonProps): ReactNode {
  return (
    <ActionIcon variant="default" size={36} aria-label={label} aria-disabled={!can} data-disabled={!can} onClick={onClick}>
      {children}
    </ActionIcon>
  );
}
