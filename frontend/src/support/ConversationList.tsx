/** All conversations: in which something was said last first, who waits, who has taken it. */
import { Alert, Button, Skeleton, VisuallyHidden } from "@mantine/core";
import type { ConversationSummary } from "@seatcast/client";
import { useConversations } from "@seatcast/client/react";
import { type ReactNode, useMemo, useState } from "react";
import { PageLink } from "../components/PageLink";
import { useSpeech } from "../hooks";
import styles from "./ConversationList.module.css";
import { useHeldOrder } from "./order";

const FILTERS = ["all", "mine", "free"] as const;
type Filter = (typeof FILTERS)[number];

interface Props {
  /** The one that is open. */
  readonly open: string | null;
  readonly userId: string;
}

export function ConversationList({ open, userId }: Props): ReactNode {
  const { t, number } = useSpeech();
  const { conversations, loaded, failing, more, earlier, refresh } = useConversations();
  const [filter, setFilter] = useState<Filter>("all");
  const counts = useMemo(
    () => FILTERS.map((one) => conversations.filter((each) => matches(one, each, userId)).length),
    [conversations, userId],
  );
  return (
    <>
      <fieldset className={styles["filters"]}>
        <VisuallyHidden component="legend">{t("inbox.filter")}</VisuallyHidden>
        {FILTERS.map((one, at) => (
          <label key={one} className={styles["filter"]}>
            <input type="radio" name="inbox-filter" checked={filter === one} onChange={() => setFilter(one)} />
            <span>
              {t(`inbox.${one}`)} <span className={styles["count"]}>{number(counts[at] ?? 0)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {failing && (
        <Alert color="orange" role="alert" className={styles["failing"] ?? ""} title={t("inbox.failing")}>
          <Button size="xs" variant="default" onClick={() => void refresh()}>
            {t("chat.again")}
          </Button>
        </Alert>
      )}
      {!loaded && !failing ? (
        <Loading />
      ) : (
        <Rows key={filter} filter={filter} all={conversations} open={open} userId={userId}>
          {more && (
            <Button variant="default" m="sm" onClick={() => void earlier()}>
              {t("inbox.earlier")}
            </Button>
          )}
        </Rows>
      )}
    </>
  );
}

function matches(filter: Filter, { state }: ConversationSummary, userId: string): boolean {
  if (filter === "all") return true;
  return filter === "mine" ? state.takenBy === userId : state.takenBy === undefined;
}

interface RowsProps extends Props {
  readonly filter: Filter;
  readonly all: readonly ConversationSummary[];
  readonly children: ReactNode;
}

function Rows({ filter, all, open, userId, children }: RowsProps): ReactNode {
  const { t } = useSpeech();
  const byId = useMemo(() => new Map(all.map((each) => [each.id, each])), [all]);
  const known = useMemo(() => new Set(byId.keys()), [byId]);
  const ids = all.filter((each) => matches(filter, each, userId)).map(({ id }) => id);
  const { shown, behind, catchUp, hand } = useHeldOrder(ids, known);
  return (
    <div className={styles["rows"]} {...hand}>
      <p className={styles["moved"]} role="status" data-behind={behind}>
        {behind && (
          <>
            {t("inbox.moved")}{" "}
            <Button size="compact-xs" variant="default" onClick={catchUp}>
              {t("inbox.catchUp")}
            </Button>
          </>
        )}
      </p>
      {shown.length === 0 && (
        <p className={styles["none"]}>{t(filter === "all" ? "inbox.none" : `inbox.none.${filter}`)}</p>
      )}
      <ul>
        {shown.map((id) => {
          const conversation = byId.get(id);
          return conversation && <Row key={id} conversation={conversation} current={id === open} userId={userId} />;
        })}
      </ul>
      {children}
    </div>
  );
}

interface RowProps {
  readonly conversation: ConversationSummary;
  readonly current: boolean;
  readonly userId: string;
}

function Row({ conversation, current, userId }: RowProps): ReactNode {
  const { t, number, moment } = useSpeech();
  const { id, state, lastMessage, waitingSince } = conversation;
  const unread = state.unread.support;
  const now = new Date();
  const speaker = lastMessage.from === id ? "" : `${lastMessage.from === userId ? t("chat.you") : lastMessage.from}\u00a0: `;
  return (
    <li>
      <PageLink to={`/support/${encodeURIComponent(id)}`} current={current} className={styles["row"] ?? ""}>
        <span className={styles["line"]}>
          <strong className={styles["name"]}>{id}</strong>
          <time dateTime={lastMessage.timestamp} className={styles["when"]}>
            {moment(new Date(lastMessage.timestamp), now)}
          </time>
        </span>
        <span className={styles["line"]}>
          <span className={styles["snippet"]} data-unread={unread > 0}>
            {speaker}
            {lastMessage.message}
          </span>
          {unread > 0 && (
            <span className={styles["unread"]} role="img" aria-label={t("chat.unread", { count: unread })}>
              {number(unread)}
            </span>
          )}
        </span>
        <span className={styles["line"]}>
          <span className={styles["waiting"]}>
            {waitingSince !== null && t("inbox.waiting", { time: moment(new Date(waitingSince), now) })}
          </span>
          <span className={styles["holder"]}>{holder(t, state.takenBy, userId)}</span>
        </span>
      </PageLink>
    </li>
  );
}

/** Who looks after a conversation, in words. */
export function holder(t: ReturnType<typeof useSpeech>["t"], takenBy: string | undefined, userId: string): string {
  if (takenBy === undefined) return t("inbox.untaken");
  return takenBy === userId ? t("inbox.takenByYou") : t("inbox.takenBy", { name: takenBy });
}

function Loading(): ReactNode {
  const { t } = useSpeech();
  return (
    <div className={styles["loading"]}>
      <VisuallyHidden role="status">{t("inbox.loading")}</VisuallyHidden>
      {[0, 1, 2].map((at) => (
        <Skeleton key={at} height={64} mt="sm" />
      ))}
    </div>
  );
}
