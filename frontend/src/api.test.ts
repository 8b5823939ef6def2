import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import rest from "../../contract/rest.json";
import { ANSWER_MS, requests } from "../packages/client/src/rest";
import { clock } from "../packages/client/src/testing/fakes";
import { Api, PAGE, Refused, TRIES, Unanswered } from "./api";

const fetched = vi.fn<typeof fetch>();
const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers });
const wish = { tourId: "tour paris", departureId: "dep_1", seats: 2 };
let api: Api;

beforeEach(() => {
  vi.useFakeTimers();
  fetched.mockReset();
  const request = requests({ fetch: fetched, clock, base: "", token: async () => null, language: () => "en" });
  api = new Api({ request, random: () => 0.5 });
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Run false time until the promise is settled, and return what it settled to. */
async function settled(promise: Promise<unknown>): Promise<unknown> {
  const outcome = promise.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(TRIES * (ANSWER_MS + 5_000));
  return outcome;
}

describe("booking", () => {
  it("sends the wish, the key and the language", async () => {
    fetched.mockResolvedValue(json(rest.BookResponse));
    expect(await settled(api.book(wish, "key1"))).toEqual(rest.BookResponse);
    const [path, init] = fetched.mock.calls[0] ?? [];
    expect(path).toBe("/api/tours/tour%20paris/book");
    expect(init?.method).toBe("POST");
    expect(Object.fromEntries(init?.headers as Headers)).toEqual({
      "accept-language": "en",
      "content-type": "application/json",
      "idempotency-key": "key1",
    });
    expect(JSON.parse(init?.body as string)).toEqual({ seatsToBook: 2, departureId: "dep_1" });
  });

  it("names no departure on an undated tour", async () => {
    fetched.mockResolvedValue(json(rest.BookResponse));
    await settled(api.book({ ...wish, departureId: null }, "key1"));
    expect(JSON.parse(fetched.mock.calls[0]?.[1]?.body as string)).toEqual({ seatsToBook: 2 });
  });

  it.each([
    ["no network", () => Promise.reject(new TypeError("failed to fetch"))],
    ["a 500", async () => json({ error: "Erreur serveur", code: "INTERNAL" }, 500)],
    ["a proxy's page", async () => new Response("<html>Bad gateway</html>", { status: 502 })],
    ["a page where JSON should be", async () => new Response("<html>hotel wifi</html>")],
  ])("is repeated with the same key after %s", async (_, failure) => {
    fetched.mockImplementationOnce(failure).mockResolvedValue(json(rest.BookResponse));
    const outcome = await settled(api.book(wish, "key1"));
    expect(outcome).toEqual(rest.BookResponse);
    const sent = fetched.mock.calls.map(([, init]) => [(init?.headers as Record<string, string>)["Idempotency-Key"], init?.body]);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
  });

  it("half an answer is none: nothing is said to be booked", async () => {
    fetched.mockResolvedValue(json({ message: "ok" }));
    expect(await settled(api.book(wish, "key1"))).toBeInstanceOf(Unanswered);
  });

  it("without any answer in time says so after three tries", async () => {
    fetched.mockImplementation(
      (_, init) => new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))),
    );
    expect(await settled(api.book(wish, "key1"))).toBeInstanceOf(Unanswered);
    expect(fetched).toHaveBeenCalledTimes(TRIES);
  });

  it("a refusal is final and has the service's sentence, code and figures", async () => {
    fetched.mockResolvedValue(json(rest.Problem, 400));
    const refused = await settled(api.book(wish, "key1"));
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({
      message: "Pas assez de places disponibles",
      code: "NOT_ENOUGH_SEATS",
      details: { availableSeats: 2 },
    });
    expect(fetched).toHaveBeenCalledOnce();
  });
});

describe("reading", () => {
  it("a page of bookings names the last one of the page before", async () => {
    fetched.mockImplementation(async () => json([rest.BookResponse.booking]));
    expect(await settled(api.bookings(null))).toEqual([rest.BookResponse.booking]);
    await settled(api.bookings("bkg/1"));
    expect(fetched.mock.calls.map(([path]) => path)).toEqual([
      `/api/bookings?limit=${PAGE}`,
      `/api/bookings?limit=${PAGE}&before=bkg%2F1`,
    ]);
  });

  it("tells a tour that there is not from one that nobody answers for", async () => {
    fetched.mockResolvedValueOnce(json({ error: "Tour non trouvé", code: "TOUR_NOT_FOUND" }, 404));
    expect(await settled(api.tour("tour paris"))).toBeNull();
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/tours/tour%20paris");
    fetched.mockRejectedValueOnce(new TypeError("no network"));
    expect(await settled(api.tour("tour paris"))).toBeInstanceOf(Unanswered);
  });
});

it("cancelling deletes the booking, and is repeated when there is no answer", async () => {
  fetched.mockRejectedValueOnce(new TypeError("failed to fetch")).mockResolvedValue(json(rest.BookResponse.booking));
  expect(await settled(api.cancel("bkg_1"))).toEqual(rest.BookResponse.booking);
  expect(fetched.mock.calls.map(([path, init]) => [path, init?.method])).toEqual([
    ["/api/bookings/bkg_1", "DELETE"],
    ["/api/bookings/bkg_1", "DELETE"],
  ]);
});

describe("the shop's figures", () => {
  it("are asked for once, and refused as anything is", async () => {
    fetched.mockResolvedValueOnce(json(rest.ShopMetrics)).mockResolvedValueOnce(json(rest.Problem, 403));
    expect(await settled(api.metrics())).toEqual(rest.ShopMetrics);
    expect(await settled(api.metrics())).toBeInstanceOf(Refused);
    expect(fetched.mock.calls.map(([path]) => path)).toEqual(["/api/metrics", "/api/metrics"]);
  });

  it.each([[{}], [[]], [null]])("%j is no answer", async (body) => {
    fetched.mockResolvedValue(json(body));
    expect(await settled(api.metrics())).toBeInstanceOf(Unanswered);
  });
});
