/** The service does not answer: what is tried by itself, and the way to try now. */
import { Alert, Button } from "@mantine/core";
import { useClient } from "@seatcast/client/react";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";

/** `onRetry`: what is to be tried again, beside the connection. */
export function Unreachable({ onRetry }: { readonly onRetry?: () => void }): ReactNode {
  const { t } = useSpeech();
  const client = useClient();
  return (
    <Alert color="orange" role="alert" title={t("list.failing")}>
      <div className="notice-line">
        <span>{t("list.failing.hint")}</span>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            client.retry();
            onRetry?.();
          }}
        >
          {t("booking.retry")}
        </Button>
      </div>
    </Alert>
  );
}
