import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN_MS, Reader, RETRY_MS } from "./reading";

const read = vi.fn<() => Promise<string>>();
const onRead = vi.fn();
const onFail = vi.fn();
const page = { hidden: false };
let reader: Reader<string>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", globalThis);
  page.hidden = false;
  for (const mock of [read, onRead, onFail]) mock.mockReset();
  read.mockResolvedValue("tours");
  reader = new Reader({ read, onRead, onFail });
});

afterEach(() => {
  reader.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("reading again", () => {
  it("answers many signs of one moment with one reading", async () => {
    reader.start();
    await pass(0);
    for (let sign = 0; sign < 10; sign += 1) reader.soon();
    await pass(AGAIN_MS);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("goes on at a steady pace however often the signs come, and reads what came after the last", async () => {
    reader.start();
    for (let passed = 0; passed < 10 * AGAIN_MS; passed += 100) {
      reader.soon();
      await pass(100);
    }
    await pass(AGAIN_MS);
    expect(read.mock.calls.length).toBeGreaterThanOrEqual(10);
    expect(read.mock.calls.length).toBeLessThanOrEqual(12);
  });

  it("waits until somebody looks at the page", async () => {
    reader.start();
    await pass(AGAIN_MS);
    page.hidden = true;
    reader.soon();
    await pass(10 * AGAIN_MS);
    expect(read).toHaveBeenCalledTimes(1);
    page.hidden = false;
    reader.soon();
    await pass(0);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("tells nothing that is older than what was told", async () => {
    let answerFirst: (value: string) => void = () => undefined;
    read.mockReturnValueOnce(new Promise((resolve) => (answerFirst = resolve))).mockResolvedValueOnce("newer");
    reader.start();
    await reader.now();
    answerFirst("older");
    await pass(0);
    expect(onRead.mock.calls).toEqual([["newer"]]);
  });

  it("says that it failed, and tries again", async () => {
    read.mockRejectedValueOnce(new Error("no answer"));
    reader.start();
    await pass(0);
    expect(onFail).toHaveBeenCalledOnce();
    await pass(RETRY_MS);
    expect(onRead).toHaveBeenCalledWith("tours");
  });

  it("tells nobody after it has stopped, and leaves no timer", async () => {
    reader.start();
    reader.stop();
    reader.soon();
    await pass(10 * AGAIN_MS);
    expect(onRead).not.toHaveBeenCalled();
  });
});
