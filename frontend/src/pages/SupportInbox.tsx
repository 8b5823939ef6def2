/** The support team's page: all conversations, and the one that is open. On a phone, one or the other. */
import { Title } from "@mantine/core";
import { useLatest } from "@seatcast/client/react";
import { type ReactNode, useEffect, useRef } from "react";
import { useSpeech } from "../hooks";
import type { PageProps } from "../places";
import { useSession } from "../session";
import { ConversationList } from "../support/ConversationList";
import { ConversationPane } from "../support/ConversationPane";
import styles from "./SupportInbox.module.css";

export function SupportInbox({ params }: PageProps): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const open = params["travellerId"] ?? null;
  const page = useRef<HTMLElement>(null);

  // Whoever chooses a conversation goes on there. On a phone a field with the focus is a keyboard over half of it.
  const shown = useRef(open);
  useEffect(() => {
    if (shown.current === open) return;
    shown.current = open;
    const narrow = matchMedia("(max-width: 48em)").matches;
    const target = open === null ? "h1" : narrow ? "h2" : "textarea";
    page.current?.querySelector<HTMLElement>(target)?.focus();
  }, [open]);

  if (session === null) return null;
  return (
    <main ref={page} id="content" tabIndex={-1} className={styles["inbox"]} data-open={open !== null}>
      <div className={styles["side"]}>
        <div className={styles["head"]}>
          <Title order={1} size="h3" tabIndex={-1}>
            {t("inbox.heading")}
          </Title>
          <Team />
        </div>
        <ConversationList open={open} userId={session.userId} />
      </div>
      <section className={styles["pane"]} aria-label={open ?? t("inbox.choose")}>
        {open === null ? (
          <p className={styles["choose"]}>{t("inbox.choose")}</p>
        ) : (
          <ConversationPane key={open} conversationId={open} session={session} />
        )}
      </section>
    </main>
  );
}

/** Who of the team is there. */
function Team(): ReactNode {
  const { t } = useSpeech();
  const agents = useLatest("SUPPORT_PRESENCE")?.agents ?? [];
  return <p className={styles["team"]}>{agents.length > 0 && t("inbox.team", { names: agents.join(", ") })}</p>;
}
