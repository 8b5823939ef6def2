/**
 * What the page around the connection can tell it: is there a network, is it left, did it just come back?
 *
 * After sleep, a network change or the back button, timers are late by minutes and sockets may be dead without a word.
 */
export interface Page {
  online(): boolean;
  visible(): boolean;
  /** Call `wake` whenever the connection deserves a look at once, `leave` when the page is left; return how to stop. */
  listen(wake: () => void, leave: () => void): () => void;
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
    listen(wake, leave) {
      if (document === undefined) return () => undefined;
      const whenVisible = (): void => {
        if (visible()) wake();
      };
      const listened: [EventTarget, string, () => void][] = [
        [window, "online", wake],
        [window, "offline", wake],
        [window, "pageshow", wake],
        [window, "pagehide", leave],
        [document, "visibilitychange", whenVisible],
      ];
      for (const [target, type, heard] of listened) target.addEventListener(type, heard);
      return () => {
        for (const [target, type, heard] of listened) target.removeEventListener(type, heard);
      };
    },
  };
}
