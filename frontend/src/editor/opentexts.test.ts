// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LINGER_MS, OpenTexts } from "./opentexts";
import type { SharedText } from "./sharedtext";

/** As much of a text as is asked of it. */
class Text {
  unsaved = false;
  readonly end = vi.fn();
  wake: () => void = () => undefined;
  readonly state = (): { unsaved: boolean } => ({ unsaved: this.unsaved });
  readonly watch = (wake: () => void): void => void (this.wake = wake);
}

let texts: OpenTexts;
let text: Text;
const make = vi.fn(() => (text = new Text()) as unknown as SharedText);

/** Does the browser ask before it closes the tab? */
function asks(): boolean {
  const event = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}

beforeEach(() => {
  vi.useFakeTimers();
  make.mockClear();
  texts = new OpenTexts();
});
afterEach(() => vi.useRealTimers());

it("a text that is shown twice is open once, and ends a moment after nobody shows it", () => {
  const stop = texts.show("a", make);
  const again = texts.show("a", make);
  expect(make).toHaveBeenCalledTimes(1);
  stop();
  again();
  texts.show("a", make)();
  expect(make).toHaveBeenCalledTimes(1);
  expect(text.end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(LINGER_MS);
  expect(text.end).toHaveBeenCalledTimes(1);
  expect(texts.get("a")).toBeNull();
});

it("what is not saved outlives the page that showed it, and the tab is not closed without asking", () => {
  const stop = texts.show("a", make);
  expect(asks()).toBe(false);
  text.unsaved = true;
  expect(asks()).toBe(true);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(text.end).not.toHaveBeenCalled();
  expect(asks()).toBe(true);
  text.unsaved = false;
  text.wake();
  vi.advanceTimersByTime(LINGER_MS);
  expect(text.end).toHaveBeenCalledTimes(1);
  expect(asks()).toBe(false);
});

it("what is given up is gone, and the next to show it has another", () => {
  const stop = texts.show("a", make);
  const first = text;
  first.unsaved = true;
  texts.discard("a");
  expect(first.end).toHaveBeenCalledTimes(1);
  texts.show("a", make);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(first.end).toHaveBeenCalledTimes(1);
  expect(text).not.toBe(first);
  expect(text.end).not.toHaveBeenCalled();
});
