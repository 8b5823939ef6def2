/** What comes over this page's connection, as it comes: by kind, and it holds still when asked. */
import { Button, Card } from "@mantine/core";
import { memo, type ReactNode, useState } from "react";
import { useSpeech } from "../hooks";
import type { Speech } from "../text";
import styles from "./EventTail.module.css";
import { type Kind, KINDS, type Entry, useTail } from "./tail";

/** How many are shown at once. */
const SHOWN = 200;

export function EventTail(): ReactNode {
  const { t } = useSpeech();
  const live = useTail();
  const [held, setHeld] = useState<readonly Entry[] | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<Kind>>(new Set());
  const chosen = (all: readonly Entry[]): readonly Entry[] => all.filter(({ kind }) => !hidden.has(kind)).slice(0, SHOWN);
  const entries = chosen(held ?? live);
  const missed = held === null ? 0 : chosen(live).filter(({ id }) => id > (held[0]?.id ?? 0)).length;
  const show = (kind: Kind, wanted: boolean): void =>
    setHidden((before) => new Set(KINDS.filter((one) => (one === kind ? !wanted : before.has(one)))));
  return (
    <Card withBorder padding="md">
      <div className={styles["controls"]}>
        <fieldset className={styles["kinds"]}>
          <legend>{t("admin.tail.show")}</legend>
          {KINDS.map((kind) => (
            <label key={kind}>
              <input
                type="checkbox"
                checked={!hidden.has(kind)}
                onChange={(event) => show(kind, event.currentTarget.checked)}
              />
              {t(`admin.kind.${kind}`)}
            </label>
          ))}
        </fieldset>
        <div className={styles["pause"]}>
          {missed > 0 && <span className="muted">{t("admin.tail.missed", { count: missed })}</span>}
          <Button size="compact-sm" variant="default" onClick={() => setHeld(held === null ? live : null)}>
            {t(held === null ? "admin.tail.pause" : "admin.tail.resume")}
          </Button>
        </div>
      </div>
      {/* No live region: at a hundred entries a second nobody could hear anything else. It is read when gone to. */}
      <div className={styles["box"]} role="region" aria-label={t("admin.tail")} tabIndex={0}>
        {entries.length === 0 ? (
          <p className="muted">{t("admin.tail.none")}</p>
        ) : (
          <ol className={styles["entries"]}>
            {entries.map((entry) => (
              <Shown key={entry.id} entry={entry} />
            ))}
          </ol>
        )}
      </div>
    </Card>
  );
}

const Shown = memo(function Shown({ entry }: { readonly entry: Entry }): ReactNode {
  const speech = useSpeech();
  const { t, clock } = speech;
  const at = new Date(entry.at);
  return (
    <li data-kind={entry.kind}>
      <time dateTime={at.toISOString()}>{clock(at, at)}</time>
      <span className={styles["kind"]}>{t(`admin.kind.${entry.kind}`)}</span>
      <span className={styles["said"]}>
        {entry.tour !== null && <strong>{entry.tour} </strong>}
        {said(entry, speech)}
      </span>
    </li>
  );
});

/** What an entry says, but for the tour that it is about. */
function said({ heard, before }: Entry, { t }: Speech): string {
  switch (heard.type) {
    case "INITIAL_STATE":
    case "AVAILABILITY_UPDATE":
      return before === null
        ? t("seats.count", { count: heard.availableSeats })
        : t("admin.tail.seats", { before, count: heard.availableSeats });
    case "TOUR_CLOSED":
      return t(heard.departureId === undefined ? "admin.tail.closed" : "admin.tail.departureClosed");
    case "BOOKING_CONFIRMED":
    case "BOOKING_CANCELLED":
    case "HOLD_EXPIRED":
    case "ERROR":
      return heard.message;
    case "METRICS_UPDATE":
      return before === null || before === heard.activeBookings
        ? t("admin.tail.figures", { count: heard.activeBookings, users: heard.activeUsers })
        : t("admin.tail.figuresChanged", { before, count: heard.activeBookings, users: heard.activeUsers });
    case "CHAT_MESSAGE":
      return t("admin.tail.message", { from: heard.from });
    case "CHAT_TYPING":
      return t("admin.tail.typing", { from: heard.from });
    case "CONVERSATION_UPDATE":
      return t("admin.tail.conversation", { of: heard.conversationId });
    case "SUPPORT_PRESENCE":
      return t("admin.tail.present", { count: heard.present });
    case "DOCUMENT_EDIT":
      return t("admin.tail.document", { document: heard.documentId, by: heard.userId });
    case "TOUR_DESCRIPTION":
      return t("admin.tail.description");
    case "RANDOM_NUMBER":
      return t("admin.tail.number", { value: heard.value });
    case "WELCOME":
      return t("admin.tail.connected");
    case "LOST":
      return t("admin.tail.lost");
    case "STALE":
      return t("admin.tail.stale");
    case "FRESH":
      return t("admin.tail.fresh");
    default:
      return heard.type;
  }
}
