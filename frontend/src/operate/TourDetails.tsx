/** Name, price and, without dates, capacity of a tour: changed while others may change them too. */
import "@mantine/core/styles/Input.css";
import { Button, Card, TextInput, Title } from "@mantine/core";
import type { TourPatch } from "@seatcast/client";
import { type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { Contested } from "./Contested";
import { type Checked, checkCapacity, checkName, checkPrice, type Mistakes } from "./mistakes";
import { minorOf, moneyText } from "./money";
import styles from "./operate.module.css";
import { changeTour } from "./operator";
import type { OperatedTour } from "./seats";
import { OutcomeNotice, useFocusOnMistake, useSending } from "./sending";
import { useUnsaved } from "../unsaved";
import { useDraft } from "./useDraft";

type Field = "name" | "price" | "capacity";

interface Props {
  readonly tour: OperatedTour;
  /** Something has changed: look at the tour again. */
  readonly onChanged: () => Promise<void>;
}

export function TourDetails({ tour, onChanged }: Props): ReactNode {
  const speech = useSpeech();
  const { t, language } = speech;
  const { insist } = useApi();
  const announce = useAnnounce();
  const { outcome, send, forget } = useSending();
  const [mistakes, setMistakes] = useState<Mistakes<Field>>({});
  const [tries, setTries] = useState(0);
  const [saved, setSaved] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const headingId = useId();
  useFocusOnMistake(element, tries);

  const { name, priceMinor, currency, seats } = tour;
  const so = { name, price: String(priceMinor), capacity: String(seats.capacity) };
  const draft = useDraft<Field>(so, (field, text) => {
    if (field === "name") return text.trim();
    if (field === "capacity") return valueOf(checkCapacity(speech, text, { sold: 0, held: 0 }));
    const minor = minorOf(text, currency);
    return typeof minor === "number" ? String(minor) : null;
  });
  const dirty = draft.changed.length > 0;
  useUnsaved(dirty, t("operate.unsaved"));
  const shown = { name, price: moneyText(priceMinor, language), capacity: so.capacity };
  const theirs = { ...shown, price: speech.money(priceMinor / 100, currency) };
  const labels = {
    name: t("operate.name"),
    price: t("operate.price", { currency }),
    capacity: t("operate.capacity"),
  };
  const refused = outcome.kind === "refused" ? outcome.refusal : null;
  const placed = refused !== null && refused.field !== null && refused.field in labels;

  const check = (field: Field): Checked<string | number> => {
    const text = draft.text(field, shown[field]);
    if (field === "name") return checkName(speech, text);
    return field === "price" ? checkPrice(speech, text, currency) : checkCapacity(speech, text, seats);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaved(false);
    const found = draft.changed.map((field) => [field, check(field)] as const);
    const wrong = Object.fromEntries(found.flatMap(([field, one]) => ("wrong" in one ? [[field, one.wrong]] : [])));
    setMistakes(wrong);
    if (Object.keys(wrong).length > 0 || draft.contested.length > 0) return setTries((before) => before + 1);
    const values = Object.fromEntries(found.flatMap(([field, one]) => ("value" in one ? [[field, one.value]] : [])));
    const done = !dirty || (await send(() => changeTour(insist, tour.id, patchOf(values, draft.base))));
    await onChanged();
    if (!done) return setTries((before) => before + 1);
    draft.clear();
    setSaved(true);
    announce(t("operate.saved"));
  };

  const field = (name_: Field): ReactNode => {
    const contested = draft.contested.includes(name_);
    const error =
      (contested ? t("operate.contested.field") : mistakes[name_]) ??
      (refused?.field === name_ ? refused.sentence : undefined);
    return (
      <div>
        <TextInput
          label={labels[name_]}
          description={name_ === "capacity" ? t("operate.capacity.hint") : undefined}
          error={error}
          autoComplete="off"
          inputMode={name_ === "name" ? "text" : name_ === "price" ? "decimal" : "numeric"}
          value={draft.text(name_, shown[name_])}
          onChange={(event) => {
            draft.write(name_, event.currentTarget.value);
            setMistakes((before) => ({ ...before, [name_]: undefined }));
            setSaved(false);
            forget();
          }}
        />
        {contested && (
          <Contested
            label={labels[name_]}
            theirs={theirs[name_]}
            onTake={() => {
              draft.take(name_);
              forget();
            }}
            onInsist={() => {
              draft.insist(name_);
              forget();
            }}
          />
        )}
      </div>
    );
  };

  return (
    <Card withBorder padding="lg" component="section" aria-labelledby={headingId}>
      <Title order={2} size="h3" id={headingId}>
        {t("operate.details")}
      </Title>
      <form ref={element} noValidate className={styles["form"]} onSubmit={(event) => void submit(event)}>
        <div className={styles["fields"]}>
          {field("name")}
          {field("price")}
          {!tour.dated && field("capacity")}
        </div>
        <OutcomeNotice outcome={outcome} placed={placed || draft.contested.length > 0} />
        <div className={styles["actions"]}>
          {saved && !dirty && <span className={styles["saved"]}>{t("operate.saved")}</span>}
          {dirty && (
            <Button
              type="button"
              variant="default"
              onClick={() => {
                draft.clear();
                setMistakes({});
                forget();
              }}
            >
              {t("operate.discard")}
            </Button>
          )}
          <Button type="submit" loading={outcome.kind === "sending"}>
            {t("operate.save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function valueOf(checked: Checked<number>): string | null {
  return "value" in checked ? String(checked.value) : null;
}

/** Only what was changed is sent, with what it was: somebody else's change of it is refused, and of the rest let be. */
function patchOf(values: Readonly<Partial<Record<Field, string | number>>>, base: (field: Field) => string | undefined): TourPatch {
  const fields = Object.keys(values) as Field[];
  const sent = (read: (field: Field) => string | number | undefined): Record<string, string | number | undefined> =>
    Object.fromEntries(fields.map((field) => [field, read(field)]));
  const price = (minor: string | number | undefined): number => Number(minor) / 100;
  return {
    ...sent((field) => (field === "price" ? price(values.price) : values[field])),
    expected: sent((field) => (field === "name" ? base("name") : field === "price" ? price(base("price")) : Number(base("capacity")))),
  };
}
