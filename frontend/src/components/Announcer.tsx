/** One polite voice for screen readers: for thresholds and news, never for each seat. */
import { VisuallyHidden } from "@mantine/core";
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";

const AnnounceContext = createContext<(sentence: string) => void>(() => undefined);

/** Sentences of one moment are said together. */
const GATHER_MS = 1_000;

export function useAnnounce(): (sentence: string) => void {
  return use(AnnounceContext);
}

export function Announcer({ children }: { readonly children: ReactNode }): ReactNode {
  const [said, setSaid] = useState("");
  const waiting = useRef<string[]>([]);
  const timer = useRef<number | undefined>(undefined);

  const announce = useCallback((sentence: string) => {
    waiting.current.push(sentence);
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      setSaid(waiting.current.splice(0).join(". "));
    }, GATHER_MS);
  }, []);
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );

  return (
    <AnnounceContext value={announce}>
      {children}
      <VisuallyHidden role="status" aria-atomic="true">
        {said}
      </VisuallyHidden>
    </AnnounceContext>
  );
}
