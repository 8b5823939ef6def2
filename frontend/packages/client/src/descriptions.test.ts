import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { descriptionsOf } from "./descriptions.js";
import { fakeClient, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const told = (version: number, description: string) => ({ type: "TOUR_DESCRIPTION", tourId: "a", description, version });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("is read once connected and after each absence, and changes as it is told, never back", async () => {
  const { client, server, answer } = fakeClient();
  const body = { id: "a", name: "A", available_seats: 1, description: "Old", descriptionVersion: 3 };
  answer.mockImplementation(async () => ({ body, headers: new Headers() }));
  const descriptions = descriptionsOf(client);
  const wake = vi.fn();
  const stop = descriptions.watch("a", wake);
  await pass();
  expect(answer).not.toHaveBeenCalled();
  server.last.says(welcome());
  server.last.says(told(4, "New"));
  await pass(16);
  expect(answer.mock.calls.map(([path]) => path)).toEqual(["/api/tours/a"]);
  expect(descriptions.get("a")).toBe("New");
  expect(wake).toHaveBeenCalledOnce();

  server.last.ends(1006);
  body.description = "Newest";
  body.descriptionVersion = 6;
  await pass(500);
  server.last.says(welcome());
  await pass();
  expect(descriptions.get("a")).toBe("Newest");

  stop();
  descriptions.watch("a", wake)();
  answer.mockClear();
  server.last.ends(1006);
  await pass(1_000);
  server.last.says(welcome());
  await pass();
  expect(answer).not.toHaveBeenCalled();
});

it("of a tour without one is empty, and unknown where the service does not answer", async () => {
  const { client, server, answer } = fakeClient();
  answer.mockImplementation(async (path) => {
    if (path.endsWith("/b")) throw new Error("down");
    return { body: { id: "a", name: "A", available_seats: 1 }, headers: new Headers() };
  });
  const descriptions = descriptionsOf(client);
  for (const id of ["a", "b"]) descriptions.watch(id, () => undefined);
  await pass();
  server.last.says(welcome());
  await pass();
  expect(descriptions.get("a")).toBe("");
  expect(descriptions.get("b")).toBeNull();
});
