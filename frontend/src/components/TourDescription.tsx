/** What is written about a tour, as it is being written. */
import { Skeleton, VisuallyHidden } from "@mantine/core";
import { useTourDescription } from "@seatcast/client/react";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { Description } from "./Description";

export function TourDescription({ tourId }: { readonly tourId: string }): ReactNode {
  const { t } = useSpeech();
  const text = useTourDescription(tourId);
  if (text === null) {
    return (
      <>
        <VisuallyHidden>{t("tour.description.loading")}</VisuallyHidden>
        <Skeleton height={14} mt={14} />
        <Skeleton height={14} mt={10} />
        <Skeleton height={14} mt={10} width="60%" />
      </>
    );
  }
  if (text.trim() === "") return <p className="muted">{t("tour.description.none")}</p>;
  return <Description text={text} />;
}
