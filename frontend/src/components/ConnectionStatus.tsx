/** The connection's state: a badge that is always there, and a sentence when the figures may be old. */
import { Alert, Button, VisuallyHidden } from "@mantine/core";
import type { Status } from "@seatcast/client";
import { useClient, useConnectionStatus } from "@seatcast/client/react";
import { type ReactNode, useEffect, useState } from "react";
import { useLasting, useSpeech } from "../hooks";
import type { Speech } from "../text";

const LASTING_MS = 1_500;

type Mood = "good" | "busy" | "bad";

const MOODS: Readonly<Record<Status["kind"], Mood>> = {
  idle: "busy",
  connecting: "busy",
  connected: "good",
  stale: "bad",
  reconnecting: "busy",
  offline: "bad",
  refused: "bad",
};

function words({ t }: Speech, status: Status): string {
  if (status.kind === "idle") return t("status.connecting");
  if (status.kind === "connected" && status.via !== "socket") return t("status.fallback");
  return t(`status.${status.kind}`);
}

/** A short word; screen readers hear it when the state changes, not at each second of the countdown. */
export function ConnectionBadge(): ReactNode {
  const status = useConnectionStatus();
  const speech = useSpeech();
  const seconds = useSecondsUntil(status.kind === "reconnecting" ? status.retryAt : null);
  const word = words(speech, status);
  return (
    <p className="connection" data-mood={MOODS[status.kind]} data-status={status.kind} title={detour(speech, status)}>
      <span className="connection-mark" aria-hidden="true" />
      <span aria-hidden="true">
        {seconds === null || seconds === 0 ? word : speech.t("status.reconnectingIn", { count: seconds })}
      </span>
      <VisuallyHidden role="status">
        {speech.t("status.label")} {word}
      </VisuallyHidden>
    </p>
  );
}

/** Why the connection is not the usual one; undefined while it is. */
function detour({ t }: Speech, status: Status): string | undefined {
  return "via" in status && status.via !== "socket" ? t(`status.via.${status.via}`) : undefined;
}

/** Says how old the figures are, and offers to try again now. Nothing while all is well. */
export function ConnectionNotice(): ReactNode {
  const status = useConnectionStatus();
  const client = useClient();
  const speech = useSpeech();
  const { t } = speech;
  const sentence = hint(speech, status);
  // A connection that is back in a blink is not worth moving the page for.
  const lasting = useLasting(sentence !== null, LASTING_MS);
  if (sentence === null || !lasting) return null;
  return (
    <Alert color={status.kind === "refused" ? "red" : "orange"} className="notice" title={words(speech, status)}>
      <div className="notice-line">
        <span>{sentence}</span>
        {status.kind !== "stale" && (
          <Button size="xs" variant="default" onClick={client.retry}>
            {t("status.retry")}
          </Button>
        )}
      </div>
    </Alert>
  );
}

function hint({ t, clock }: Speech, status: Status): string | null {
  const now = new Date();
  switch (status.kind) {
    case "stale":
      return t("status.stale.hint", { time: clock(new Date(status.since), now) });
    case "refused":
      return t("status.refused.hint", { code: String(status.code) });
    case "reconnecting":
    case "offline":
      return status.since === null ? t("status.never") : t("status.old", { time: clock(new Date(status.since), now) });
    default:
      return null;
  }
}

/** Whole seconds until a moment, counted down; null without one. */
function useSecondsUntil(moment: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (moment === null) return undefined;
    const tick = (): void => setNow(Date.now());
    tick();
    const timer = window.setInterval(tick, 500);
    return () => window.clearInterval(timer);
  }, [moment]);
  return moment === null ? null : Math.max(0, Math.ceil((moment - now) / 1_000));
}
