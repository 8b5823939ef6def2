/**
 * What the page around the connection can tell it: is there a network, did the page just come back?
 *
 * After sleep, a network change or the back button, timers are late by minutes and sockets may be dead without a word.
 */
export interface Page {
  online(): boolean;
  visible(): boolean;
  /** Call `wake` whenever the connection deserves a look at once; return how to stop. */
  listen(wake: () => void): () => void;
}

interface VisibleTarget extends EventTarget {
  readonly visibilityState: string;
}

/** The browser's page. On a server, where there is no document, it is never left and never comes back. */
export function browserPage(
  window: EventTarget,
  document: VisibleTarget | undefined,
  navigator: { readonly onLine?: boolean } | undefined,
): Page {
  const visible = (): boolean => document?.visibilityState !== "hidden";
  return {
    online: () => navigator?.onLine !== false,
    visible,
    listen(wake) {
      if (document === undefined) return () => undefined;
      const whenVisible = (): void => {
        if (visible()) wake();
      };
      const listened: [EventTarget, string, () => void][] = [
        [window, "online", wake],
        [window, "offline", wake],
        [window, "pageshow", wake],
        [document, "visibilitychange", whenVisible],
      ];
      for (const [target, type, heard] of listened) target.addEventListener(type, heard);
      return () => {
        for (const [target, type, heard] of listened) target.removeEventListener(type, heard);
      };
    },
  };
}
