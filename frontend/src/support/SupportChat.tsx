/** The traveller's chat with the support team: a button in the corner of every page, and what it opens. */
import { CloseButton, Loader } from "@mantine/core";
import { ask } from "@seatcast/client";
import { useClient, useConversations } from "@seatcast/client/react";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { Boundary } from "../components/Boundary";
import { useSpeech } from "../hooks";
import { has, useSession } from "../session";
import { ChatIcon } from "./icons";
import styles from "./SupportChat.module.css";

const ChatPanel = lazy(async () => ({ default: (await import("./ChatPanel")).ChatPanel }));

/** Nothing for the support team, whose conversations have a page of their own. */
export function SupportChat(): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const opened = useRef(false);
  const agent = has(session, "support");
  if (agent && open) setOpen(false);
  useEffect(() => {
    // Who signed in there as one of the team goes on in the page.
    if (opened.current && !open) (button.current ?? document.getElementById("content"))?.focus();
    opened.current = open;
  }, [open]);
  if (agent) return null;
  const close = (): void => setOpen(false);
  return (
    <>
      {/* At the end of the page there is room to scroll what the button covers out from under it. */}
      <div className={styles["room"]} />
      <button
        ref={button}
        type="button"
        className={styles["button"]}
        hidden={open}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <ChatIcon />
        {t("chat.button")}
        {session !== null && <Unread userId={session.userId} announced={!open} />}
      </button>
      {open && (
        <Boundary instead={<Waiting sentence={t("chat.broken")} onClose={close} />}>
          <Suspense fallback={<Waiting sentence={t("chat.loading")} busy onClose={close} />}>
            <ChatPanel onClose={close} />
          </Suspense>
        </Boundary>
      )}
    </>
  );
}

/** How many messages of the team's the traveller has not read: in figures, and in words for screen readers. */
function Unread({ userId, announced }: { readonly userId: string; readonly announced: boolean }): ReactNode {
  const { t, number } = useSpeech();
  const client = useClient();
  const announce = useAnnounce();
  const own = useConversations().conversations.find(({ id }) => id === userId);
  const count = own?.state.unread.traveller ?? 0;

  const before = useRef<number | null>(null);
  useEffect(() => {
    if (own === undefined) return;
    if (announced && before.current !== null && count > before.current) announce(t("chat.announce", { count }));
    before.current = count;
  }, [own, count, announced, announce, t]);

  // The team sees that it has arrived here, though nobody has read it.
  const messageId = count > 0 ? own?.lastMessage.messageId : undefined;
  const news = messageId !== undefined && messageId !== own?.state.delivered.traveller;
  useEffect(() => {
    if (!news || messageId === undefined) return;
    ask(client, { type: "CHAT_MARK", conversationId: userId, messageId, mark: "delivered" }).catch(() => undefined);
  }, [client, userId, news, messageId]);

  if (count === 0) return null;
  return (
    <span className={styles["unread"]} role="img" aria-label={t("chat.unread", { count })}>
      {number(count)}
    </span>
  );
}

interface WaitingProps {
  readonly sentence: string;
  readonly busy?: boolean;
  readonly onClose: () => void;
}

/** What is in the panel's place while it loads, or where it cannot. */
function Waiting({ sentence, busy = false, onClose }: WaitingProps): ReactNode {
  const { t } = useSpeech();
  return (
    <div className={styles["waiting"]} role={busy ? "status" : "alert"}>
      {busy && <Loader size="sm" />}
      <span>{sentence}</span>
      <CloseButton autoFocus aria-label={t("chat.close")} onClick={onClose} />
    </div>
  );
}
