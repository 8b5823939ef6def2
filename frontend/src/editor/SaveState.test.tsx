// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Announcer } from "../components/Announcer";
import { fr } from "../locale/fr";
import { SaveBadge, SaveNotice } from "./SaveState";
import type { TextState } from "./sharedtext";

const onRetry = vi.fn();
const onDiscard = vi.fn();
const pass = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  for (const mock of [onRetry, onDiscard]) mock.mockReset();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function page(state: TextState): React.ReactNode {
  return (
    <MantineProvider>
      <Announcer>
        <SaveBadge kind={state.kind} />
        <SaveNotice state={state} onRetry={onRetry} onDiscard={onDiscard} />
      </Announcer>
    </MantineProvider>
  );
}
const state = (kind: TextState["kind"], unsaved = false, loaded = true): TextState => ({ kind, loaded, unsaved });
const said = (): string => screen.getByRole("status").textContent;

describe("the state of what was written", () => {
  it("is a word at once, and a sentence when it lasts; both its beginning and its end are said once", async () => {
    const { rerender } = render(page(state("saved")));
    rerender(page(state("offline", true)));
    expect(screen.getByText("Hors ligne")).toBeDefined();
    await pass(3_000);
    expect(screen.queryByRole("group")).toBeNull();
    await pass(3_000);
    expect(screen.getByRole("group", { name: "Hors ligne" }).textContent).toContain(fr["editor.offline.unsaved"]);
    const sentence = `Hors ligne. ${fr["editor.offline.unsaved"]}`;
    await pass(1_000);
    expect(said()).toBe(sentence);
    rerender(page(state("saving", true)));
    await pass(1_000);
    expect(said()).toBe(sentence);
    rerender(page(state("saved")));
    await pass(1_000);
    expect(said()).toBe("Enregistré");
    expect(screen.queryByRole("group")).toBeNull();
  });

  it("is not said at each letter", async () => {
    const { rerender } = render(page(state("saved")));
    for (let letter = 0; letter < 20; letter += 1) {
      rerender(page(state("saving", true)));
      await pass(300);
      rerender(page(state("saved")));
      await pass(300);
    }
    expect(said()).toBe("");
  });

  it.each([
    ["offline", true, "editor.offline.unsaved"],
    ["offline", false, "editor.offline.hint"],
    ["saving", true, "editor.saving.hint"],
    ["signedOut", true, "editor.signedOut.hint"],
    ["forbidden", true, "editor.forbidden.hint"],
    ["tooLarge", true, "editor.tooLarge.hint"],
    ["refused", true, "editor.refused.hint"],
  ] as const)("%s (unsaved: %s) is explained", async (kind, unsaved, key) => {
    render(page(state(kind, unsaved)));
    await pass(5_000);
    expect(screen.getByRole("group").textContent).toContain(fr[key]);
  });

  it.each(["opening", "offline"] as const)("a text that cannot be read (%s) is not called kept", async (kind) => {
    render(page(state(kind, false, false)));
    await pass(5_000);
    expect(screen.getByRole("group").textContent).toContain(fr["editor.unreachable"]);
  });

  it("what was refused is tried again, or given up after asking", () => {
    render(page(state("tooLarge", true)));
    fireEvent.click(screen.getByRole("button", { name: "Réessayer" }));
    expect(onRetry).toHaveBeenCalledTimes(1);
    fireEvent.click(screen.getByRole("button", { name: "Reprendre le texte enregistré" }));
    expect(onDiscard).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: "Non, les garder" }));
    fireEvent.click(screen.getByRole("button", { name: "Reprendre le texte enregistré" }));
    fireEvent.click(screen.getByRole("button", { name: "Oui, les abandonner" }));
    expect(onDiscard).toHaveBeenCalledTimes(1);
  });
});
