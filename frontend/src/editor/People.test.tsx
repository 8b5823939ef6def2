// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MantineProvider } from "@mantine/core";
import { Announcer } from "../components/Announcer";
import type { Person } from "./company";
import { People } from "./People";

const pass = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const person = (name: string, self = false): Person => ({ name, self, colour: "#123456" });
const page = (others: readonly string[], connected = true): React.ReactNode => (
  <MantineProvider>
    <Announcer>
      <People people={[person("olga", true), ...others.map((name) => person(name))]} connected={connected} />
    </Announcer>
  </MantineProvider>
);
const said = (): string => screen.getByRole("status").textContent;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("who is here is shown at once and said once it has lasted; a short absence is not worth a word", async () => {
  const { rerender } = render(page([]));
  await pass(5_000);
  expect(said()).toBe("");
  rerender(page(["ana", "bob"]));
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Oolga (vous)", "Aana", "Bbob"]);
  await pass(2_000);
  expect(said()).toBe("");
  await pass(2_000);
  expect(said()).toBe("Ici avec vous\u00a0: ana, bob");
  rerender(page(["ana"]));
  await pass(2_000);
  rerender(page(["ana", "bob"]));
  await pass(5_000);
  expect(said()).toBe("Ici avec vous\u00a0: ana, bob");
  rerender(page([]));
  await pass(5_000);
  expect(said()).toBe("Il n\u2019y a plus personne d\u2019autre ici");
});

it("without a connection nobody is said to have left", async () => {
  const { rerender } = render(page(["ana"]));
  await pass(5_000);
  rerender(page([], false));
  await pass(60_000);
  rerender(page(["ana"]));
  await pass(5_000);
  expect(said()).toBe("Ici avec vous\u00a0: ana");
});
