/** React's view of live/: each hook reads one thing and re-renders for that thing alone. */
import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { Live, Status } from "./live/client";
import type { TourView } from "./live/views";
import { type Speech, speech } from "./text";

export const LiveContext = createContext<Live | null>(null);
export const SpeechContext = createContext<Speech>(speech("fr"));

const NO_TOURS: readonly string[] = [];
const IDLE: Status = { kind: "idle" };

/** Words and figures in the page's language. */
export function useSpeech(): Speech {
  return use(SpeechContext);
}

/** The connection that all hooks share. Throws outside of a `LiveContext`. */
export function useLive(): Live {
  const live = use(LiveContext);
  if (live === null) throw new Error("no LiveContext around this component");
  return live;
}

/** Ids of the open tours, by name. Renders again when tours come, go or change their names. */
export function useTours(): readonly string[] {
  const live = useLive();
  return useSyncExternalStore(live.watchTours, live.tours, () => NO_TOURS);
}

/** One tour, or null when it is unknown or closed. Renders again when something in it changed. */
export function useTour(id: string): TourView | null {
  const live = useLive();
  const watch = useCallback((wake: () => void) => live.watchTour(id, wake), [live, id]);
  return useSyncExternalStore(watch, () => live.tour(id), () => null);
}

/** Is the list of tours complete, still being read, or out of reach? */
export function useListState(): "loading" | "complete" | "failing" {
  const live = useLive();
  const watch = useCallback(
    (wake: () => void) => {
      const unwatch = [live.watchTours(wake), live.watchStatus(wake)];
      return () => unwatch.forEach((stop) => stop());
    },
    [live],
  );
  return useSyncExternalStore(watch, live.listState, () => "loading");
}

/** The connection's state. Heartbeats and facts do not touch it. */
export function useConnectionStatus(): Status {
  const live = useLive();
  return useSyncExternalStore(live.watchStatus, live.status, () => IDLE);
}
