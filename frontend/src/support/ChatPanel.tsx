/** The traveller's side of the chat: a window in the corner, or on a phone a sheet over the whole page. */
import { CloseButton, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useLatest } from "@seatcast/client/react";
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import { useSpeech } from "../hooks";
import { useSession } from "../session";
import styles from "./ChatPanel.module.css";
import { SignInFirst } from "./SignInFirst";
import { Thread } from "./Thread";

export function ChatPanel({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const sheet = useMediaQuery("(max-width: 40em)", false, { getInitialValueInEffect: false });
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);

  useLayoutEffect(() => {
    const element = dialog.current;
    if (sheet) element?.showModal();
    else element?.show();
    return () => element?.close();
  }, [sheet]);

  // Also for whoever has just signed in here. On a phone a field with the focus is a keyboard over half of what was said.
  const userId = session?.userId;
  useEffect(() => {
    const field = sheet ? null : dialog.current?.querySelector<HTMLElement>("textarea");
    (field ?? title.current)?.focus();
  }, [sheet, userId]);

  return (
    <dialog
      ref={dialog}
      className={styles["panel"]}
      aria-labelledby="chat-title"
      // Told a moment later: by then the change from window to sheet has opened it again.
      onClose={() => {
        if (dialog.current?.open === false) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || sheet) return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div className={styles["head"]}>
        <div>
          <Title order={2} size="h5" id="chat-title" ref={title} tabIndex={-1}>
            {t("chat.title")}
          </Title>
          {userId !== undefined && <TeamPresence />}
        </div>
        <CloseButton size="lg" aria-label={t("chat.close")} onClick={onClose} />
      </div>
      {userId === undefined ? <SignInFirst /> : <Thread key={userId} conversationId={userId} userId={userId} />}
    </dialog>
  );
}

/** Is somebody there to answer? A traveller who is told nothing may take it that nobody is. */
function TeamPresence(): ReactNode {
  const { t } = useSpeech();
  const count = useLatest("SUPPORT_PRESENCE")?.present ?? 0;
  return (
    <p className={styles["presence"]} data-present={count > 0}>
      {count > 0 ? t("chat.present", { count }) : t("chat.absent")}
    </p>
  );
}
