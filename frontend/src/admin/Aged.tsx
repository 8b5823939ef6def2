/** Figures and how old they are: what has `data-ages` is greyed as soon as it may no longer be true. */
import { useConnectionStatus } from "@seatcast/client/react";
import { type ReactNode, useEffect, useState } from "react";
import { useSpeech } from "../hooks";
import styles from "./Aged.module.css";
import { SILENT_MS } from "./history";
import { type Shop, useFigures } from "./shop";

interface Props {
  readonly shop: Shop;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}

export function Aged({ shop, className = "", children }: Props): ReactNode {
  const { t, clock } = useSpeech();
  const { kind } = useConnectionStatus();
  const now = useSeconds();
  const known = useFigures(shop) !== null;
  const age = Math.max(0, now - shop.heardAt);
  const old = known && (kind !== "connected" || age > SILENT_MS);
  const time = clock(new Date(shop.heardAt), new Date(now));
  return (
    <div className={`${styles["aged"]} ${className}`} data-old={old || undefined}>
      {known && (
        <p className={styles["age"]}>{old ? t("admin.old", { time, age: ago(t, age) }) : t("admin.updated", { time })}</p>
      )}
      {children}
    </div>
  );
}

function ago(t: ReturnType<typeof useSpeech>["t"], ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return seconds < 120 ? t("admin.seconds", { count: seconds }) : t("admin.minutes", { count: Math.floor(seconds / 60) });
}

/** The moment, second by second. */
function useSeconds(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
