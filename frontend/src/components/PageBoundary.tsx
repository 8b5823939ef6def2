/** What a page's failure costs: that page, until it is reloaded or another is gone to. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { Boundary } from "./Boundary";
import { Notice } from "./Notice";

interface Props {
  /** The page's address. */
  readonly at: string;
  readonly children: ReactNode;
}

export function PageBoundary({ at, children }: Props): ReactNode {
  return (
    <Boundary at={at} instead={<Broken />}>
      {children}
    </Boundary>
  );
}

function Broken(): ReactNode {
  const { t } = useSpeech();
  return (
    <Notice title={t("place.broken")} hint={t("place.broken.hint")}>
      <Button mt="md" onClick={() => location.reload()}>
        {t("place.reload")}
      </Button>
    </Notice>
  );
}
