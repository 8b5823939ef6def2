import { expect, it, vi } from "vitest";
import { browserPage } from "./page.js";

function fake(): { window: EventTarget; document: EventTarget & { visibilityState: string } } {
  return { window: new EventTarget(), document: Object.assign(new EventTarget(), { visibilityState: "visible" }) };
}

it("wakes on network changes, on pageshow and when the tab is shown, not when it is hidden", () => {
  const { window, document } = fake();
  const wake = vi.fn();
  browserPage(window, document, { onLine: true }).listen(wake, () => undefined);
  for (const type of ["online", "offline", "pageshow"]) window.dispatchEvent(new Event(type));
  expect(wake).toHaveBeenCalledTimes(3);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wake).toHaveBeenCalledTimes(3);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wake).toHaveBeenCalledTimes(4);
});

it("says when the page is left, which a hidden tab is not", () => {
  const { window, document } = fake();
  const leave = vi.fn();
  const stop = browserPage(window, document, { onLine: true }).listen(() => undefined, leave);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  expect(leave).not.toHaveBeenCalled();
  window.dispatchEvent(new Event("pagehide"));
  stop();
  window.dispatchEvent(new Event("pagehide"));
  expect(leave).toHaveBeenCalledOnce();
});

it("is silent once nobody listens", () => {
  const { window, document } = fake();
  const wake = vi.fn();
  browserPage(window, document, { onLine: true }).listen(wake, () => undefined)();
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wake).not.toHaveBeenCalled();
});

it("knows whether there is a network now", () => {
  const { window, document } = fake();
  const navigator = { onLine: true };
  const page = browserPage(window, document, navigator);
  navigator.onLine = false;
  expect(page.online()).toBe(false);
});
