/**
 * How long ago something was, in whole minutes.
 *
 * One clock for all who ask. It stands still in a hidden tab and is right on the first frame after that.
 */
import { useCallback, useSyncExternalStore } from "react";

const TICK_MS = 15_000;
const MINUTE_MS = 60_000;

let now = Date.now();
let stop: (() => void) | null = null;
const watching = new Set<() => void>();

function tick(): void {
  if (document.visibilityState === "hidden") return;
  now = Date.now();
  for (const wake of watching) wake();
}

function watch(wake: () => void): () => void {
  watching.add(wake);
  if (stop === null) {
    now = Date.now();
    const timer = setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
    stop = () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }
  return () => {
    watching.delete(wake);
    if (watching.size > 0) return;
    stop?.();
    stop = null;
  };
}

/** Whole minutes since a moment (ISO-8601), 0 for one that is to come. Renders again when there is one more. */
export function useAge(moment: string): number {
  const age = useCallback(() => Math.max(0, Math.floor((now - Date.parse(moment)) / MINUTE_MS)), [moment]);
  return useSyncExternalStore(watch, age);
}
