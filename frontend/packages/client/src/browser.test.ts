// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient } from "./browser.js";
import { LINGER_MS } from "./client.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const fetched = vi.fn<(url: string, init?: RequestInit) => Promise<Response>>();
const opened = vi.fn<(url: string, protocols: string[]) => void>();

class Socket {
  onmessage = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror = null;
  readonly readyState = 0;
  constructor(url: URL, protocols: string[]) {
    opened(url.href, protocols);
    setTimeout(() => this.onclose?.({ code: 1006 }), 10);
  }
  close(): void {}
}

beforeEach(() => {
  vi.useFakeTimers();
  fetched.mockReset();
  fetched.mockRejectedValue(new TypeError("failed to fetch"));
  opened.mockReset();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("WebSocket", Socket);
});
afterEach(() => vi.useRealTimers());

/** Let a client of these options try for a while. */
async function trying(options: Parameters<typeof createClient>[0], ms = 100): Promise<void> {
  const release = createClient(options).retain();
  await pass(ms);
  release();
  await pass(LINGER_MS + 100);
  expect(vi.getTimerCount()).toBe(0);
}

describe("the gateway's place", () => {
  const config = (body: object): void =>
    void fetched.mockImplementation(async (url) => new Response(JSON.stringify(url.endsWith("/config") ? body : [])));

  it("is what the service says", async () => {
    config({ websocketUrl: "wss://live.example/", websocketPort: 8080, demo: false });
    await trying({});
    expect(opened.mock.calls[0]?.[0]).toBe("wss://live.example/");
  });

  it("or the port that it says, on the service's own host", async () => {
    config({ websocketUrl: null, websocketPort: 9000, demo: false });
    await trying({ api: "https://tours.example" });
    expect(fetched.mock.calls.map(([url]) => url)).toContain("https://tours.example/api/config");
    expect(opened.mock.calls[0]?.[0]).toBe("wss://tours.example:9000/");
  });

  it("or the usual port where the service says nothing", async () => {
    await trying({});
    expect(opened.mock.calls[0]?.[0]).toBe("ws://localhost:8080/");
  });

  it("or where the page says, and nobody is asked", async () => {
    await trying({ url: "ws://here:1/", language: "en" });
    expect(opened.mock.calls[0]?.[0]).toBe("ws://here:1/?lang=en");
    expect(fetched.mock.calls.map(([url]) => url)).not.toContain("/api/config");
  });
});

it("a token goes with the handshake and with requests, never in an address", async () => {
  await trying({ url: "ws://here/", getToken: () => "secret" });
  expect(opened.mock.calls[0]).toEqual(["ws://here/", ["seatcast", "bearer.secret"]]);
  const [url, init] = fetched.mock.calls[0] ?? [];
  expect(url).toBe("/api/tours");
  expect((init?.headers as Headers).get("Authorization")).toBe("Bearer secret");
});

it("where WebSockets are blocked it asks for a stream, then polls", async () => {
  vi.useRealTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
  // A service of its own: what a client of an earlier test still has under way is none of this one's.
  const availability = "https://blocked.example/api/tours/availability";
  const release = createClient({ url: "ws://here/", api: "https://blocked.example" }).retain();
  const asked = (): string[] => fetched.mock.calls.map(([url]) => url).filter((url) => url.startsWith(availability));
  await vi.waitFor(() => expect(asked().length).toBeGreaterThan(1), { timeout: 5_000 });
  release();
  expect(asked().slice(0, 2)).toEqual([`${availability}/stream?`, `${availability}?`]);
});
