/** What was said, oldest first, with the end in view unless somebody reads further up. */
import { Button, Skeleton, VisuallyHidden } from "@mantine/core";
import type { ConversationView } from "@seatcast/client";
import { memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useSpeech } from "../hooks";
import styles from "./Log.module.css";
import { type Line, linesOf, type Side } from "./lines";

interface Props {
  readonly talk: ConversationView & { readonly earlier: () => Promise<void>; readonly reload: () => Promise<void> };
  readonly userId: string;
  readonly side: Side;
  /** Told whether the end is in view. */
  readonly onEnd: (atEnd: boolean) => void;
  /** What comes after the last message: those that are on their way. */
  readonly children: ReactNode;
}

/** So near to the end somebody looks at the end. */
const END_PX = 40;

export function Log({ talk, userId, side, onEnd, children }: Props): ReactNode {
  const { t } = useSpeech();
  const { messages, outgoing, state, loaded, failing, more, earlier, reload } = talk;
  const lines = useMemo(() => linesOf(messages, state, userId), [messages, state, userId]);
  const [reading, setReading] = useState(false);
  const { box, atEnd, toEnd, newer } = useEnd(talk, userId, onEnd);

  const readEarlier = (): void => {
    setReading(true);
    void earlier().finally(() => setReading(false));
  };

  return (
    <div className={styles["frame"]}>
      <div
        ref={box}
        className={styles["log"]}
        role="log"
        aria-label={t("chat.log")}
        // What was said before is not news.
        aria-busy={!loaded || reading}
        // What scrolls is to be scrolled with keys too.
        tabIndex={0}
      >
        {failing && (
          <p className={styles["aside"]} role="alert">
            {t("chat.failing")}{" "}
            <Button size="compact-sm" variant="default" onClick={() => (loaded ? readEarlier() : void reload())}>
              {t("chat.again")}
            </Button>
          </p>
        )}
        {more && !failing && (
          <p className={styles["aside"]}>
            <Button size="compact-sm" variant="default" loading={reading} onClick={readEarlier}>
              {t("chat.earlier")}
            </Button>
          </p>
        )}
        {!loaded && !failing && messages.length === 0 && <Loading />}
        {loaded && messages.length === 0 && outgoing.length === 0 && (
          <p className={styles["aside"]}>{side === "support" ? t("chat.empty.agent") : t("chat.empty")}</p>
        )}
        <ol className={styles["lines"]}>
          {lines.map((line) => (
            <Said key={line.message.messageId ?? line.message.timestamp} line={line} userId={userId} />
          ))}
          {children}
        </ol>
      </div>
      {!atEnd && (
        <Button className={styles["toEnd"] ?? ""} size="compact-md" radius="xl" onClick={toEnd}>
          {newer > 0 ? t("chat.newer", { count: newer }) : t("chat.toEnd")}
        </Button>
      )}
    </div>
  );
}

/** Stay at the end when somebody is there, and where they are when they are not: also when earlier messages come before. */
function useEnd(talk: ConversationView, userId: string, onEnd: (atEnd: boolean) => void) {
  const { messages, outgoing } = talk;
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [left, setLeft] = useState<string | null>(null);
  const before = useRef({ first: "", height: 0, said: 0, atEnd: true });

  const toEnd = (): void => {
    const element = box.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  };

  const last = messages.at(-1)?.messageId ?? "";
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void => {
      const now = element.scrollHeight - element.scrollTop - element.clientHeight <= END_PX;
      before.current.atEnd = now;
      setAtEnd(now);
      setLeft((already) => (now ? null : (already ?? last)));
      onEnd(now);
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [last, onEnd]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { first, height, said } = before.current;
    const firstNow = messages[0]?.messageId ?? "";
    const own = outgoing.length > said;
    if (before.current.atEnd || own) element.scrollTop = element.scrollHeight;
    else if (first !== "" && firstNow !== first) element.scrollTop += element.scrollHeight - height;
    Object.assign(before.current, { first: firstNow, height: element.scrollHeight, said: outgoing.length });
  }, [messages, outgoing]);

  // The field below grows, a keyboard opens: the end stays in view.
  useEffect(() => {
    const element = box.current;
    if (element === null || !("ResizeObserver" in window)) return undefined;
    const observer = new ResizeObserver(() => {
      if (before.current.atEnd) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const from = left === null ? messages.length : messages.findIndex(({ messageId }) => messageId === left) + 1;
  const newer = messages.slice(from).filter((message) => message.from !== userId).length;
  return { box, atEnd, toEnd, newer };
}

const Said = memo(function Said({ line, userId }: { readonly line: Line; readonly userId: string }): ReactNode {
  const { t, moment, day } = useSpeech();
  const { message, newDay, newTurn, receipt } = line;
  const when = new Date(message.timestamp);
  const mine = message.from === userId;
  const name = mine ? t("chat.you") : message.from;
  return (
    <>
      {newDay && (
        <li className={styles["day"]}>
          {day(when, Intl.DateTimeFormat().resolvedOptions().timeZone, new Date())}
        </li>
      )}
      <li className={styles["said"]} data-mine={mine} data-turn={newTurn}>
        {newTurn ? (
          <p className={styles["who"]}>
            <span>{name}</span> <time dateTime={message.timestamp}>{moment(when, when)}</time>
          </p>
        ) : (
          <VisuallyHidden>{t("chat.saidBy", { name, time: moment(when, when) })}</VisuallyHidden>
        )}
        <p className={styles["text"]} dir="auto">
          {message.message}
        </p>
        {receipt !== null && <p className={styles["receipt"]}>{t(`chat.${receipt}`)}</p>}
      </li>
    </>
  );
});

function Loading(): ReactNode {
  const { t } = useSpeech();
  return (
    <div className={styles["loading"]}>
      <VisuallyHidden role="status">{t("chat.loading")}</VisuallyHidden>
      <Skeleton height={40} width="60%" radius="lg" />
      <Skeleton height={40} width="45%" radius="lg" ml="auto" />
      <Skeleton height={40} width="55%" radius="lg" />
    </div>
  );
}
