/** What many components need: words and figures in the page's language, its title, the moment, and patience. */
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

/** The title of the window: what this page is called, then whose it is. Without a name, the application's own. */
export function usePageTitle(name: string | null): void {
  const { t } = useSpeech();
  useEffect(() => {
    document.title = name === null ? t("page.title") : t("page.titled", { page: name });
  }, [name, t]);
}

/** The longest that a browser's timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/** The moment, which is another one as soon as the first of these moments to come has come. */
export function useNowAt(moments: readonly string[]): Date {
  const [now, setNow] = useState(() => new Date());
  const next = Math.min(...moments.map((moment) => Date.parse(moment)).filter((moment) => moment > now.getTime()));
  useEffect(() => {
    if (next === Infinity) return undefined;
    const timer = setTimeout(() => setNow(new Date()), Math.min(LONGEST_MS, Math.max(0, next - Date.now())));
    return () => clearTimeout(timer);
  }, [next, now]);
  return now;
}
