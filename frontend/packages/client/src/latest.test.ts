import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { latestOf } from "./latest.js";
import { fakeClient, welcome } from "./testing/fakes.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("who of the team is there is forgotten with the connection that told it: a new one says nothing of nobody", async () => {
  const { client, server } = fakeClient();
  const latest = latestOf(client);
  const wake = vi.fn();
  const stop = latest.watch("SUPPORT_PRESENCE", "", wake);
  await vi.advanceTimersByTimeAsync(0);
  server.last.says(welcome({ userId: "ann" }));
  server.last.says({ type: "SUPPORT_PRESENCE", present: 2, timestamp: "" });
  await vi.advanceTimersByTimeAsync(20);
  expect(latest.get("SUPPORT_PRESENCE")?.present).toBe(2);
  wake.mockClear();
  server.last.ends(1006);
  await vi.advanceTimersByTimeAsync(500);
  server.last.says(welcome({ userId: "ann" }));
  await vi.advanceTimersByTimeAsync(20);
  expect(latest.get("SUPPORT_PRESENCE")).toBe(null);
  expect(wake).toHaveBeenCalled();
  stop();
});
