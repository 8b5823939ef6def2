/** Tells screen readers when a tour crosses into its last seats, sells out, or has seats again: never at each seat. */
import type { TourView } from "@seatcast/client";
import { useEffect, useRef } from "react";
import { useAnnounce } from "./components/Announcer";
import { useSpeech } from "./hooks";
import { type Level, levelOf } from "./level";

export function useThresholds({ name, availableSeats }: TourView): void {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const before = useRef<Level | null>(null);
  useEffect(() => {
    const level = levelOf(availableSeats);
    const was = before.current;
    before.current = level;
    if (was === null || was === level) return;
    if (level === "none") announce(t("announce.none", { tour: name }));
    else if (was === "none") announce(t("announce.again", { tour: name }));
    else if (level === "last") announce(t("announce.last", { tour: name, count: availableSeats }));
  }, [availableSeats, name, announce, t]);
}
