import { expect, it, vi } from "vitest";
import { gatewayOf } from "./gateway.js";
import type { Request } from "./rest.js";

it("what the service said is remembered while it says nothing", async () => {
  const request = vi.fn<Request>().mockRejectedValueOnce(new TypeError("failed to fetch"));
  const gateway = gatewayOf(request, () => "https://tours.example/app/");
  expect(await gateway()).toBe("wss://tours.example:8080/");
  request.mockResolvedValueOnce({ body: { websocketUrl: null, websocketPort: 9000 }, headers: new Headers() });
  expect(await gateway()).toBe("wss://tours.example:9000/");
  request.mockRejectedValueOnce(new TypeError("failed to fetch"));
  expect(await gateway()).toBe("wss://tours.example:9000/");
});
