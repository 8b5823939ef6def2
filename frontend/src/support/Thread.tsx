/** One conversation to read and to write in, for either side of it. */
import { useDocumentVisibility } from "@mantine/hooks";
import { useConnectionStatus, useConversation } from "@seatcast/client/react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useSpeech } from "../hooks";
import { Composer, useDraft } from "./Composer";
import { type Side, sideOf } from "./lines";
import { Log } from "./Log";
import { Outgoings } from "./Outgoings";
import styles from "./Thread.module.css";

interface Props {
  /** The traveller's user id. */
  readonly conversationId: string;
  /** Who is signed in. */
  readonly userId: string;
}

export function Thread({ conversationId, userId }: Props): ReactNode {
  const { t } = useSpeech();
  const talk = useConversation(conversationId);
  const side = sideOf(userId, conversationId);
  const field = useRef<HTMLTextAreaElement>(null);
  const [draft, setDraft] = useDraft(`${userId} ${conversationId}`);
  const [atEnd, setAtEnd] = useState(true);
  useMarks(talk, side, atEnd);

  const { drop } = talk;
  const edit = useCallback(
    (id: string, message: string) => {
      drop(id);
      setDraft((now) => (now.trim() === "" ? message : `${message}\n${now}`));
      field.current?.focus();
    },
    [drop, setDraft],
  );

  return (
    <div className={styles["thread"]}>
      <Log talk={talk} userId={userId} side={side} onEnd={setAtEnd}>
        <Outgoings talk={talk} onEdit={edit} />
      </Log>
      {/* Not told aloud: who writes stops and begins again at every thought. */}
      <p className={styles["typing"]}>
        {talk.typing !== null && t("chat.typing", { name: talk.typing })}
      </p>
      <ConnectionHint />
      <Composer
        ref={field}
        label={side === "traveller" ? t("chat.field") : t("chat.field.to", { name: conversationId })}
        text={draft}
        onText={(text) => {
          setDraft(text);
          if (text !== "") talk.type();
        }}
        onSay={(text) => {
          setDraft("");
          void talk.say(text);
        }}
      />
    </div>
  );
}

/** What is before somebody's eyes is read; what has only arrived is delivered. */
function useMarks(talk: ReturnType<typeof useConversation>, side: Side, atEnd: boolean): void {
  const { messages, state, mark } = talk;
  const visible = useDocumentVisibility() === "visible";
  const last = messages.at(-1)?.messageId;
  const unread = state === null ? null : state.unread[side];
  useEffect(() => {
    // How a conversation stands that is not among the newest is told in answer to a mark.
    if (last === undefined || unread === 0) return;
    mark(visible && atEnd && unread !== null ? "read" : "delivered");
  }, [last, unread, visible, atEnd, mark]);
}

/** What to expect of a message that is sent now, where that is not the usual. */
function ConnectionHint(): ReactNode {
  const { t } = useSpeech();
  const status = useConnectionStatus();
  const away = status.kind === "reconnecting" || status.kind === "offline" || status.kind === "refused";
  const slow = "via" in status && status.via !== "socket";
  if (!away && !slow) return null;
  return (
    <p className={styles["hint"]} role="status">
      {away ? t("chat.offline") : t("chat.slow")}
    </p>
  );
}
