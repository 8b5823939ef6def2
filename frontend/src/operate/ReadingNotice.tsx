/** Says that the tours could not be read, and why; what is shown is then what was known before. */
import { Alert, Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Refused } from "../api";
import { useSpeech } from "../hooks";
import type { Reading } from "./reading";

export function ReadingNotice({ reading }: { readonly reading: Reading<unknown> }): ReactNode {
  const { t } = useSpeech();
  const { failure, now } = reading;
  if (failure === null) return null;
  return (
    <Alert color="orange" role="alert" title={t("operate.failing")} className="notice">
      <div className="notice-line">
        <span>{failure instanceof Refused ? failure.message : t("list.failing.hint")}</span>
        <Button size="xs" variant="default" onClick={() => void now()}>
          {t("booking.retry")}
        </Button>
      </div>
    </Alert>
  );
}
