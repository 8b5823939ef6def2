/** What many components need: words and figures in the page's language, and patience. */
import { createContext, use, useEffect, useState } from "react";
import { type Speech, speech } from "./text";

export const SpeechContext = createContext<Speech>(speech("fr"));

export function useSpeech(): Speech {
  return use(SpeechContext);
}

/** Has it been true for `ms` without a break? */
export function useLasting(now: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false);
  if (!now && lasting) setLasting(false);
  useEffect(() => {
    if (!now) return undefined;
    const timer = window.setTimeout(() => setLasting(true), ms);
    return () => window.clearTimeout(timer);
  }, [now, ms]);
  return lasting;
}
