import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FEW, oneByOne } from "./onebyone.js";
import { HttpError } from "./rest.js";
import { fakeClient, welcome } from "./testing/fakes.js";

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const listen = (): void => undefined;
const described = (id: string) => ({ id, name: id, available_seats: 9, version: 1, price: 5, currency: "EUR" });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const tours = (...ids: string[]) => Object.fromEntries(ids.map((id) => [`/api/tours/${id}`, described(id)]));
const inEpoch = (body: unknown, epoch = "e1") => ({ body, headers: new Headers({ "Seatcast-Epoch": epoch }) });

function watching(bodies: Record<string, unknown>) {
  const world = fakeClient({ tours: "watched", read: oneByOne });
  world.answer.mockImplementation(async (path) => {
    const body = bodies[path];
    if (body === undefined) throw new HttpError(404, { code: "NOT_FOUND" });
    return inEpoch(body);
  });
  return world;
}

it("asks for these alone, those that came together at once", async () => {
  const { client, read, answer } = watching(tours("a", "b%2Fc", "d"));
  client.watchTour("a", listen);
  client.watchTour("b/c", listen);
  await pass();
  expect(answer.mock.calls.map(([path]) => path)).toEqual(["/api/tours/a", "/api/tours/b%2Fc"]);
  expect(read).not.toHaveBeenCalled();
  expect(client.tour("a")?.availableSeats).toBe(9);
  expect(client.listState()).toBe("complete");
});

it("asks for the list when they are many", async () => {
  const { client, read, answer } = watching({});
  for (let id = 0; id <= FEW; id += 1) client.watchTour(String(id), listen);
  await pass();
  expect(read).toHaveBeenCalledOnce();
  expect(answer).not.toHaveBeenCalled();
});

it("knows after being away which are closed or gone, and says nothing of those that it did not ask for", async () => {
  const bodies: Record<string, unknown> = tours("a", "b", "c", "d");
  const { client, server } = watching(bodies);
  for (const id of ["a", "b", "c"]) client.watchTour(id, listen);
  const leave = client.watchTour("d", listen);
  await pass();
  server.last.says(welcome({ following: "named" }));
  leave();
  server.last.ends(1006);
  bodies["/api/tours/b"] = { ...described("b"), closed: true };
  delete bodies["/api/tours/c"];
  await pass(500);
  server.last.says(welcome({ following: "named" }));
  await pass();
  expect(["a", "b", "c", "d"].map((id) => client.tour(id)?.id)).toEqual(["a", undefined, undefined, "d"]);
});

it("asks again when a tour could not be read, or came of another epoch than the others", async () => {
  const { client, answer } = watching({});
  answer.mockRejectedValueOnce(new Error("no answer"));
  client.watchTour("a", listen);
  client.watchTour("b", listen);
  await pass();
  expect(client.listState()).toBe("failing");
  answer.mockImplementationOnce(async () => inEpoch(described("a"), "e1"));
  answer.mockImplementationOnce(async () => inEpoch(described("b"), "e2"));
  await pass(1_000);
  expect(client.tour("a")).toBeNull();
  answer.mockImplementation(async (path) => inEpoch(described(path.slice(-1)), "e2"));
  await pass(30_000);
  expect([client.tour("a")?.id, client.tour("b")?.id, client.listState()]).toEqual(["a", "b", "complete"]);
});
