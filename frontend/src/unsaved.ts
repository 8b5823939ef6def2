/**
 * Nothing that somebody has written is lost by a slip: while a form has changes that are not saved, leaving asks first.
 *
 * Leaving is a link to another page, the browser's buttons back and forward, a reload, a closed tab. The first two are
 * asked about here; the others the browser asks about itself.
 */
import { useEffect } from "react";

/** The questions of the forms that have something to lose. */
const held = new Map<symbol, string>();
let here = "";

/** Ask before this page is left for as long as `unsaved` is true. */
export function useUnsaved(unsaved: boolean, question: string): void {
  useEffect(() => {
    if (!unsaved) return undefined;
    const holder = Symbol("unsaved");
    if (held.size === 0) watch();
    held.set(holder, question);
    return () => {
      held.delete(holder);
      if (held.size === 0) unwatch();
    };
  }, [unsaved, question]);
}

/** Hear of the buttons back and forward before the router does: browsers tell windows in the order of asking. */
export function hearFirst(): void {
  window.addEventListener("popstate", wentBack);
}

/** True where the person wants to leave all the same. */
function leave(): boolean {
  return window.confirm([...held.values()].at(-1));
}

function watch(): void {
  here = location.href;
  document.addEventListener("click", followed, true);
  window.addEventListener("beforeunload", unloading);
}

function unwatch(): void {
  document.removeEventListener("click", followed, true);
  window.removeEventListener("beforeunload", unloading);
}

function followed(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (link === null || elsewhere || link.target === "_blank" || link.origin !== location.origin) return;
  if (link.pathname === location.pathname || leave()) return;
  event.preventDefault();
  event.stopPropagation();
}

/** The address has changed already. Whoever stays is given it back before anybody else hears of it. */
function wentBack(event: PopStateEvent): void {
  if (held.size === 0 || location.pathname === new URL(here).pathname || leave()) return;
  event.stopImmediatePropagation();
  history.pushState(history.state, "", here);
}

function unloading(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
