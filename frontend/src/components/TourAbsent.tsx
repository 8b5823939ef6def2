/** In place of a tour that is not on sale: still being read, out of reach, closed, or none at all. */
import { Card, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import type { Tour } from "@seatcast/client";
import { useListState } from "@seatcast/client/react";
import { type ReactNode, useEffect, useState } from "react";
import { useApi } from "../bookings";
import { usePageTitle, useSpeech } from "../hooks";
import { Unreachable } from "./Unreachable";

export function TourAbsent({ tourId }: { readonly tourId: string }): ReactNode {
  const list = useListState();
  if (list === "failing") return <Unreachable />;
  return list === "loading" ? <Loading /> : <NotOnSale tourId={tourId} />;
}

/** The list of tours is complete and it is not there: only the service knows whether it ever was. */
function NotOnSale({ tourId }: { readonly tourId: string }): ReactNode {
  const { t } = useSpeech();
  const api = useApi();
  const [found, setFound] = useState<Tour | null | "asking" | "unanswered">("asking");
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let wanted = true;
    api.tour(tourId).then(
      (tour) => wanted && setFound(tour),
      () => wanted && setFound("unanswered"),
    );
    return () => {
      wanted = false;
    };
  }, [api, tourId, asked]);

  if (found === "asking") return <Loading />;
  if (found === "unanswered") return <Unreachable onRetry={() => setAsked(asked + 1)} />;
  if (found === null) return <Said title={t("tour.unknown")} hint={t("tour.unknown.hint")} />;
  return <Said title={found.name} notice={t("tour.closed")} hint={t("tour.closed.hint")} />;
}

interface SaidProps {
  readonly title: string;
  readonly notice?: string;
  readonly hint: string;
}

function Said({ title, notice, hint }: SaidProps): ReactNode {
  usePageTitle(title);
  return (
    <Card withBorder padding="xl" className="empty" role="alert">
      <Title order={1} size="h3" mb="xs">
        {title}
      </Title>
      {notice !== undefined && <p className="strong">{notice}</p>}
      <p className="muted">{hint}</p>
    </Card>
  );
}

function Loading(): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      <VisuallyHidden role="status">{t("tour.loading")}</VisuallyHidden>
      <Skeleton height={36} width="50%" />
      <Skeleton height={160} mt={24} />
      <Skeleton height={280} mt={20} />
    </>
  );
}
