/** What a tour is called. */
import { HttpError } from "@seatcast/client";
import { useClient, useTourAvailability } from "@seatcast/client/react";
import { useEffect, useState } from "react";

/** The tour's name, also of a closed tour; its id until somebody says more; null where there is no such tour. */
export function useTourName(tourId: string): string | null {
  const { request } = useClient();
  const open = useTourAvailability(tourId)?.name;
  const [read, setRead] = useState<string | null>(tourId);
  const unknown = open === undefined;
  useEffect(() => {
    if (!unknown) return undefined;
    const giveUp = new AbortController();
    const { signal } = giveUp;
    request(`/api/tours/${encodeURIComponent(tourId)}`, { signal }).then(
      ({ body }) => {
        const name = (body as { readonly name?: unknown } | null)?.name;
        if (!signal.aborted && typeof name === "string") setRead(name);
      },
      (error: unknown) => {
        if (!signal.aborted && error instanceof HttpError && error.status === 404) setRead(null);
      },
    );
    return () => giveUp.abort();
  }, [request, tourId, unknown]);
  return open ?? read;
}
