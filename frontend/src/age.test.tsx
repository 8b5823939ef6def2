// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useAge } from "./age";

const renders = vi.fn();

function Age({ moment }: { readonly moment: string }): ReactNode {
  renders();
  return <p>{useAge(moment)} min</p>;
}

const pass = (ms: number): void => act(() => void vi.advanceTimersByTime(ms));

let visibility: DocumentVisibilityState = "visible";

function turn(to: DocumentVisibilityState): void {
  visibility = to;
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-06-01T10:00:00.000Z") });
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  renders.mockClear();
});

afterEach(() => {
  cleanup();
  visibility = "visible";
  vi.useRealTimers();
});

it("counts whole minutes, and renders for each of them alone", () => {
  render(<Age moment="2026-06-01T09:58:30.000Z" />);
  screen.getByText("1 min");
  renders.mockClear();
  pass(60_000);
  screen.getByText("2 min");
  expect(renders).toHaveBeenCalledTimes(1);
});

it("what is to come by this device's clock is now", () => {
  render(<Age moment="2026-06-01T10:05:00.000Z" />);
  screen.getByText("0 min");
});

it("stands still in a hidden tab, and is right as soon as that is shown", () => {
  render(<Age moment="2026-06-01T10:00:00.000Z" />);
  renders.mockClear();
  turn("hidden");
  pass(3_600_000);
  expect(renders).not.toHaveBeenCalled();
  turn("visible");
  screen.getByText("60 min");
});

it("leaves no timer behind", () => {
  const { unmount } = render(<Age moment="2026-06-01T10:00:00.000Z" />);
  expect(vi.getTimerCount()).toBe(1);
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});
