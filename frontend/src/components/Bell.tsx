/** The bell of the header: what the person was told of their bookings, and a word when more comes. Signed in only. */
import type { Notice } from "@seatcast/client";
import { useMessages } from "@seatcast/client/react";
import { lazy, type ReactNode, Suspense, use, useCallback, useRef, useState } from "react";
import { BookingsContext } from "../bookings";
import { useSpeech } from "../hooks";
import { idOf, useToldNotifications } from "../notifications";
import { useSession } from "../session";
import { useAnnounce } from "./Announcer";
import styles from "./Bell.module.css";
import { Flyout } from "./Flyout";
import { BellIcon } from "./icons";

const NotificationList = lazy(async () => ({ default: (await import("./NotificationList")).NotificationList }));
const Toasts = lazy(async () => ({ default: (await import("./Toasts")).Toasts }));

/** More toasts than this would cover the page; the bell counts them all. */
const TOASTS_LIMIT = 3;
const COUNT_LIMIT = 99;
const NONE: readonly Notice[] = [];

export function Bell(): ReactNode {
  const userId = useSession()?.userId;
  return userId === undefined ? null : <BellOf key={userId} userId={userId} />;
}

function BellOf({ userId }: { readonly userId: string }): ReactNode {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const { told, unread, markRead, dismiss } = useToldNotifications(userId);
  const [toasts, setToasts] = useState(NONE);
  const looking = useRef(false);
  // What was booked here has its receipt here, and once is enough.
  const { all } = use(BookingsContext);
  const elsewhere = toasts.filter(({ type, bookingId }) => type !== "BOOKING_CONFIRMED" || all.every(({ id }) => id !== bookingId));

  const hear = (notice: Notice): void => {
    if (!looking.current) setToasts((now) => [...now, notice].slice(-TOASTS_LIMIT));
    announce(t("notices.heard", { what: t(`notices.${notice.type}`), tour: notice.tourName }));
  };
  useMessages("BOOKING_CONFIRMED", hear);
  useMessages("BOOKING_CANCELLED", hear);
  useMessages("HOLD_EXPIRED", hear);
  const forget = useCallback((id: string) => setToasts((now) => now.filter((notice) => idOf(notice) !== id)), []);

  return (
    <>
      <Flyout
        label={unread === 0 ? t("notices") : t("notices.unread", { count: unread })}
        title={t("notices")}
        face={
          <span className={styles["bell"]}>
            <BellIcon />
            {unread > 0 && <span className={styles["count"]}>{unread > COUNT_LIMIT ? `${COUNT_LIMIT}+` : unread}</span>}
          </span>
        }
        onToggle={(open) => {
          looking.current = open;
          if (open) setToasts(NONE);
          else markRead();
        }}
      >
        <Suspense fallback={<p className="muted">{t("place.loading")}</p>}>
          <NotificationList told={told} onRead={markRead} onDismiss={dismiss} />
        </Suspense>
      </Flyout>
      {elsewhere.length > 0 && (
        <Suspense>
          <Toasts toasts={elsewhere} onDone={forget} />
        </Suspense>
      )}
    </>
  );
}
