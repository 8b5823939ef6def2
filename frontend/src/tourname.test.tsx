// @vitest-environment jsdom
import { type Client, HttpError, type Tour } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import rest from "../../contract/rest.json";
import { fakeClient, snapshot, type World } from "../packages/client/src/testing/fakes";
import { useTourName } from "./tourname";

const louvre = rest["Tour undated"] as Tour;

function name(tourId: string, { client }: World): { readonly current: string | null } {
  const wrapper = ({ children }: { readonly children: React.ReactNode }): React.ReactNode => (
    <SeatcastProvider client={client as unknown as Client}>{children}</SeatcastProvider>
  );
  return renderHook(() => useTourName(tourId), { wrapper }).result;
}

afterEach(cleanup);

it("is the open tour's, and a closed tour's as the service tells it", async () => {
  const world = fakeClient();
  world.read.mockResolvedValue(snapshot([louvre]));
  world.answer.mockResolvedValue({ body: { ...louvre, id: "tour_old", name: "Closed Tour" }, headers: new Headers() });
  const open = name("tour_louvre", world);
  const closed = name("tour_old", world);
  expect(closed.current).toBe("tour_old");
  await waitFor(() => expect(open.current).toBe("Louvre Night Tour"));
  await waitFor(() => expect(closed.current).toBe("Closed Tour"));
});

it("is null where there is no such tour, and the id while nobody answers", async () => {
  const world = fakeClient();
  world.answer.mockRejectedValueOnce(new TypeError("failed to fetch")).mockRejectedValueOnce(new HttpError(404, {}));
  const unanswered = name("tour_far", world);
  const missing = name("tour_none", world);
  await waitFor(() => expect(missing.current).toBeNull());
  expect(unanswered.current).toBe("tour_far");
});
