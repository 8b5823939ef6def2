/** What was said here and is not stored yet: on its way, or refused with the reason and what can be done. */
import { Button } from "@mantine/core";
import type { ConversationView, Outgoing } from "@seatcast/client";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import type { Key } from "../locale/fr";
import type { Speech } from "../text";
import styles from "./Log.module.css";

interface Props {
  readonly talk: Pick<ConversationView, "outgoing"> & {
    readonly again: (id: string) => Promise<boolean>;
    readonly drop: (id: string) => void;
  };
  /** Take it back into the field. */
  readonly onEdit: (id: string, message: string) => void;
}

export function Outgoings({ talk, onEdit }: Props): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  return talk.outgoing.map((one) => (
    // Who wrote it need not be told of it twice: the stored message takes its place.
    <li key={one.id} className={styles["said"]} aria-live="off" data-mine data-turn data-failed={one.failed || undefined}>
      <p className={styles["who"]}>
        <span>{t("chat.you")}</span>
      </p>
      <p className={styles["text"]} dir="auto">
        {one.message}
      </p>
      {one.failed ? (
        <div className={styles["failed"]}>
          <p role="alert">
            {t("chat.failed")} {reason(speech, one)}
          </p>
          <p>
            {isRefused(one) ? (
              <Button size="compact-xs" variant="default" onClick={() => onEdit(one.id, one.message)}>
                {t("chat.edit")}
              </Button>
            ) : (
              <Button size="compact-xs" variant="default" onClick={() => void talk.again(one.id)}>
                {t("chat.again")}
              </Button>
            )}
            <Button size="compact-xs" variant="default" onClick={() => talk.drop(one.id)}>
              {t("chat.drop")}
            </Button>
          </p>
        </div>
      ) : (
        <p className={styles["receipt"]}>{t("chat.sending")}</p>
      )}
    </li>
  ));
}

/** Refused for good: the same again would be refused again. */
function isRefused({ error }: Outgoing): boolean {
  return error !== null && !["UNANSWERED", "INTERNAL", "RATE_LIMITED", "UNAUTHENTICATED"].includes(error.code);
}

const REASONS: Readonly<Record<string, Key>> = {
  MESSAGE_EMPTY: "chat.failed.empty",
  MESSAGE_TOO_LONG: "chat.failed.tooLong",
  MESSAGE_NOT_TEXT: "chat.failed.notText",
  FORBIDDEN: "chat.failed.forbidden",
  CONVERSATION_NOT_FOUND: "chat.failed.missing",
};

function reason({ t }: Speech, one: Outgoing): string {
  if (one.error?.code === "RATE_LIMITED") return t("chat.failed.rate");
  if (!isRefused(one)) return t("chat.failed.unanswered");
  const code = one.error?.details["code"];
  return t("chat.failed.refused", { reason: t((typeof code === "string" && REASONS[code]) || "chat.failed.other") });
}
