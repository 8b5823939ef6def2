/** What came of an attempt to book, when that is not a booking: a refusal and what is left, or no answer and the way on. */
import { Alert, Button, Group } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import type { Attempt } from "../attempt";
import { useSpeech } from "../hooks";
import type { Speech } from "../text";

interface Props {
  readonly attempt: Attempt;
  /** Ask for as many seats as there are. */
  readonly onTake: (seats: number) => void;
  readonly onAgain: () => void;
  readonly onForget: () => void;
}

export function BookingOutcome({ attempt, onTake, onAgain, onForget }: Props): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const retry = useRef<HTMLButtonElement>(null);
  // The form was locked under the keyboard; its place is the question that is now open.
  useEffect(() => {
    if (attempt.kind === "unanswered") retry.current?.focus();
  }, [attempt.kind]);

  if (attempt.kind === "refused") {
    const { sentence, left } = attempt;
    return (
      <Alert
        color="red"
        role="alert"
        title={t("booking.refused")}
        withCloseButton
        closeButtonLabel={t("receipt.close")}
        onClose={onForget}
      >
        <p>
          {sentence.replace(/\.?$/, ".")}
          {left !== null && ` ${leftOnly(speech, left)}`}
        </p>
        {left !== null && left > 0 && (
          <Button size="xs" type="button" variant="default" mt="xs" onClick={() => onTake(left)}>
            {t("booking.take", { count: left })}
          </Button>
        )}
      </Alert>
    );
  }
  if (attempt.kind === "unanswered") {
    return (
      <Alert color="orange" role="alert" title={t("booking.unanswered")}>
        <p>{t("booking.unanswered.hint")}</p>
        <Group gap="xs" mt="xs">
          <Button ref={retry} size="xs" type="button" onClick={onAgain}>
            {t("booking.retry")}
          </Button>
          <Button size="xs" type="button" variant="default" onClick={onForget}>
            {t("booking.abandon")}
          </Button>
        </Group>
      </Alert>
    );
  }
  return null;
}

/** How few seats there are, as a sentence. */
export function leftOnly({ t }: Speech, left: number): string {
  return left === 0 ? t("booking.left.none") : t("booking.left", { count: left });
}
