/** One conversation for the team: whose it is, who looks after it, and what is said. */
import { Button, Title } from "@mantine/core";
import { CommandError, type ConversationUpdate } from "@seatcast/client";
import { useConversation, useLatest } from "@seatcast/client/react";
import { type ReactNode, useState } from "react";
import { PageLink } from "../components/PageLink";
import { useSpeech } from "../hooks";
import { has, type Session } from "../session";
import { holder } from "./ConversationList";
import styles from "./ConversationPane.module.css";
import { Thread } from "./Thread";

interface Props {
  readonly conversationId: string;
  readonly session: Session;
}

export function ConversationPane({ conversationId, session }: Props): ReactNode {
  const { t } = useSpeech();
  const { state } = useConversation(conversationId);
  const own = conversationId === session.userId;
  return (
    <>
      <header className={styles["head"]}>
        <PageLink to="/support" className={styles["back"] ?? ""}>
          <span aria-hidden="true">← </span>
          {t("inbox.back")}
        </PageLink>
        <div className={styles["line"]}>
          <div>
            <Title order={2} size="h4" tabIndex={-1} className={styles["name"] ?? ""}>
              {conversationId}
            </Title>
            {!own && <LastSign conversationId={conversationId} />}
          </div>
          {own ? (
            <p className="muted">{t("inbox.own")}</p>
          ) : (
            state !== null && <Holding conversationId={conversationId} state={state} session={session} />
          )}
        </div>
      </header>
      <Thread conversationId={conversationId} userId={session.userId} />
    </>
  );
}

/** When the traveller was last there, as far as is known: said or wrote something, or was handed a message. */
function LastSign({ conversationId }: { readonly conversationId: string }): ReactNode {
  const { t, moment } = useSpeech();
  const { messages, state } = useConversation(conversationId);
  const typing = useLatest("CHAT_TYPING", conversationId);
  // Whatever was delivered to a page of theirs was so after it was said; when exactly is not told.
  const delivered = messages.find(({ messageId }) => messageId !== undefined && messageId === state?.delivered.traveller);
  const said = messages.findLast(({ from }) => from === conversationId);
  const wrote = typing?.from === conversationId ? typing : undefined;
  const last = [delivered, said, wrote].map((sign) => sign?.timestamp ?? "").sort().at(-1);
  if (!last) return null;
  return <p className={styles["sign"]}>{t("inbox.sign", { time: moment(new Date(last), new Date()) })}</p>;
}

/** Who has taken it, and the button to take or release it. */
function Holding({ conversationId, state, session }: Props & { readonly state: ConversationUpdate }): ReactNode {
  const { t } = useSpeech();
  const { take, release } = useConversation(conversationId);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { takenBy } = state;
  const mayRelease = takenBy === session.userId || (takenBy !== undefined && has(session, "admin"));

  const change = (how: () => Promise<void>): void => {
    setBusy(true);
    setProblem(null);
    how()
      .catch((error: unknown) => {
        const by = error instanceof CommandError && error.code === "CONFLICT" ? error.details["takenBy"] : undefined;
        setProblem(typeof by === "string" ? t("inbox.taken.before", { name: by }) : t("inbox.taken.failed"));
      })
      .finally(() => setBusy(false));
  };

  return (
    <div className={styles["holding"]}>
      <span role="status" className={styles["holder"]}>
        {holder(t, takenBy, session.userId)}
      </span>
      {/* One button, which keeps the focus when it becomes the other. */}
      {(takenBy === undefined || mayRelease) && (
        <Button
          size="xs"
          variant={takenBy === undefined ? "filled" : "default"}
          loading={busy}
          onClick={() => change(takenBy === undefined ? take : release)}
        >
          {t(takenBy === undefined ? "inbox.take" : "inbox.release")}
        </Button>
      )}
      {problem !== null && (
        <p role="alert" className={styles["problem"]}>
          {problem}
        </p>
      )}
    </div>
  );
}
