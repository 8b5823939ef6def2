/** A form's conversation with the service: sending, what was refused, and what nobody knows the end of. */
import { Alert } from "@mantine/core";
import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { Refused, Unanswered } from "../api";
import { useSpeech } from "../hooks";
import { type Refusal, refusalOf } from "./mistakes";

export type Outcome =
  | { readonly kind: "none" }
  | { readonly kind: "sending" }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly code: string }
  /** It may have been done or not. To ask for the same again is safe. */
  | { readonly kind: "unanswered" };

export interface Sending {
  readonly outcome: Outcome;
  /** Do it, unless something is being done. Resolves to whether it was done. */
  readonly send: (work: () => Promise<void>) => Promise<boolean>;
  readonly forget: () => void;
}

const NONE: Outcome = { kind: "none" };

export function useSending(): Sending {
  const speech = useSpeech();
  const [outcome, setOutcome] = useState<Outcome>(NONE);
  const busy = useRef(false);
  const send = useCallback(
    async (work: () => Promise<void>): Promise<boolean> => {
      if (busy.current) return false;
      busy.current = true;
      setOutcome({ kind: "sending" });
      try {
        await work();
        setOutcome(NONE);
        return true;
      } catch (error) {
        if (error instanceof Refused) setOutcome({ kind: "refused", refusal: refusalOf(speech, error), code: error.code });
        else if (error instanceof Unanswered) setOutcome({ kind: "unanswered" });
        else throw error;
        return false;
      } finally {
        busy.current = false;
      }
    },
    [speech],
  );
  const forget = useCallback(() => setOutcome(NONE), []);
  return { outcome, send, forget };
}

/** What there is to say of the form as a whole. `placed`: the refusal stands at a field already. */
export function OutcomeNotice({ outcome, placed }: { readonly outcome: Outcome; readonly placed: boolean }): ReactNode {
  const { t } = useSpeech();
  if (outcome.kind === "refused" && !placed) {
    return (
      <Alert color="red" role="alert" title={t("operate.refused")}>
        {outcome.refusal.sentence}
      </Alert>
    );
  }
  if (outcome.kind === "unanswered") {
    return (
      <Alert color="orange" role="alert" title={t("operate.unanswered")}>
        {t("operate.unanswered.hint")}
      </Alert>
    );
  }
  return null;
}

/** Take the keyboard to the first field with a mistake, after each try that `turn` counts. */
export function useFocusOnMistake(form: RefObject<HTMLFormElement | null>, turn: number): void {
  useEffect(() => {
    if (turn > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [form, turn]);
}
