/**
 * Where a person is after a change of page: at the top, with the keyboard on its heading; or after going back, where
 * they were, with the keyboard on the link that led away. A browser does so by itself only for whole documents.
 */
import { useCallback, useEffect, useRef } from "react";

interface Journey {
  /** The page that is shown: its path as the application has it, null before the first; and as the browser writes it. */
  here: string | null;
  written: string;
  /** Somebody has followed a link since; otherwise the next arrival is by the browser's own buttons. */
  followed: boolean;
  /** How far down each page was, by its path. */
  readonly depths: Map<string, number>;
}

/** Returns what to call when the page of a path is there to be seen. */
export function useArrival(): (path: string) => void {
  const journey = useRef<Journey>({ here: null, written: location.pathname, followed: false, depths: new Map() });

  useEffect(() => {
    const { current } = journey;
    const scrolled = (): void => void current.depths.set(location.pathname, window.scrollY);
    const followed = (): void => void (current.followed = location.pathname !== current.written);
    // The browser would scroll before the page is there. A reload is its own affair.
    const ours = (): void => void (history.scrollRestoration = "manual");
    const itsOwn = (): void => void (history.scrollRestoration = "auto");
    ours();
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener("scroll", scrolled, { passive: true, signal });
    // The router's own event. (Of popstate the router hears first, and the other page is there before we do.)
    window.addEventListener("pushState", followed, { signal });
    window.addEventListener("pageshow", ours, { signal });
    window.addEventListener("pagehide", itsOwn, { signal });
    return () => {
      listening.abort();
      itsOwn();
    };
  }, []);

  return useCallback((path: string) => {
    const { current } = journey;
    const { here: left, followed } = current;
    if (path === left) return;
    Object.assign(current, { here: path, written: location.pathname, followed: false });
    if (left === null) return;
    const content = document.getElementById("content");
    window.scrollTo(0, followed ? 0 : (current.depths.get(location.pathname) ?? 0));
    const place = (followed ? null : linkTo(content, left)) ?? headingOf(content) ?? content;
    place?.focus({ preventScroll: true });
  }, []);
}

function headingOf(content: HTMLElement | null): HTMLElement | null {
  const heading = content?.querySelector("h1") ?? null;
  if (heading !== null) heading.tabIndex = -1;
  return heading;
}

function linkTo(content: HTMLElement | null, path: string): HTMLElement | null {
  const links = [...(content?.querySelectorAll<HTMLAnchorElement>("a[href]") ?? [])];
  return links.find(({ pathname }) => pathname === path || pathname === encodeURI(path)) ?? null;
}
