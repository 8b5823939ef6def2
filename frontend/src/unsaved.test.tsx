// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hearFirst, useUnsaved } from "./unsaved";

const confirm = vi.fn<(question?: string) => boolean>();
const followed = vi.fn<(event: Event) => void>();

function Form({ unsaved }: { readonly unsaved: boolean }): ReactNode {
  useUnsaved(unsaved, "Lose them?");
  return (
    <>
      <a href="/elsewhere">elsewhere</a>
      <a href="?lang=en">language</a>
      <a href="/elsewhere" target="_blank" rel="noreferrer">
        another tab
      </a>
    </>
  );
}

const follow = async (name: string): Promise<void> => userEvent.click(screen.getByRole("link", { name }));
const isAsked = (event: Event): boolean => !window.dispatchEvent(event);

beforeEach(() => {
  history.replaceState(null, "", "/operate/tours/x");
  vi.stubGlobal("confirm", confirm.mockReset());
  followed.mockReset().mockImplementation((event) => event.preventDefault());
  document.addEventListener("click", followed);
});

afterEach(() => {
  cleanup();
  document.removeEventListener("click", followed);
});

describe("a page with unsaved changes", () => {
  it("asks before a link leads away, and stays where the answer is no", async () => {
    render(<Form unsaved />);
    confirm.mockReturnValueOnce(false);
    await follow("elsewhere");
    expect(confirm).toHaveBeenCalledWith("Lose them?");
    expect(followed).not.toHaveBeenCalled();
    confirm.mockReturnValueOnce(true);
    await follow("elsewhere");
    expect(followed).toHaveBeenCalledOnce();
  });

  it.each(["language", "another tab"])("does not ask where nothing would be lost: %s", async (name) => {
    render(<Form unsaved />);
    await follow(name);
    expect(confirm).not.toHaveBeenCalled();
    expect(followed).toHaveBeenCalledOnce();
  });

  it("asks at the buttons back and forward before anybody hears of it, and gives the address back", () => {
    hearFirst();
    const heard = vi.fn();
    window.addEventListener("popstate", heard);
    render(<Form unsaved />);
    for (const [answer, path] of [
      [false, "/operate/tours/x"],
      [true, "/operate"],
    ] as const) {
      confirm.mockReturnValueOnce(answer);
      history.replaceState(null, "", "/operate");
      window.dispatchEvent(new PopStateEvent("popstate"));
      expect(location.pathname).toBe(path);
    }
    expect(heard).toHaveBeenCalledOnce();
    window.removeEventListener("popstate", heard);
  });

  it("has the browser ask before it is closed", () => {
    render(<Form unsaved />);
    expect(isAsked(new Event("beforeunload", { cancelable: true }))).toBe(true);
  });
});

it("nothing is asked before something was written, after it was saved, or when the form is gone", async () => {
  const { rerender, unmount } = render(<Form unsaved={false} />);
  await follow("elsewhere");
  rerender(<Form unsaved />);
  rerender(<Form unsaved={false} />);
  await follow("elsewhere");
  rerender(<Form unsaved />);
  unmount();
  expect(isAsked(new Event("beforeunload", { cancelable: true }))).toBe(false);
  expect(confirm).not.toHaveBeenCalled();
  expect(followed).toHaveBeenCalledTimes(2);
});
