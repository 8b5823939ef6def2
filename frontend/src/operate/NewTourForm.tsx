/** Making a tour: its id proposed from its name, its price and currency, its time zone, its seats or its departures. */
import "@mantine/core/styles/Input.css";
import { Button, Card, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { ChoiceFromMany } from "./ChoiceFromMany";
import { DepartureFields } from "./DepartureFields";
import { proposedId } from "./identifier";
import {
  emptyForm,
  type NewTourForm as Form,
  type NewTourMistakes,
  nextDeparture,
  NO_MISTAKES,
  placed,
  readNewTour,
  type TourField,
} from "./newTour";
import styles from "./operate.module.css";
import { createTour } from "./operator";
import { OutcomeNotice, useFocusOnMistake, useSending } from "./sending";
import { useUnsaved } from "../unsaved";
import { zones } from "./zoned";

interface Props {
  /** Ids that other tours have. */
  readonly taken: ReadonlySet<string>;
  readonly onMade: (tourId: string) => void;
}

export function NewTourForm({ taken, onMade }: Props): ReactNode {
  const speech = useSpeech();
  const { t, language } = speech;
  const { insist } = useApi();
  const [form, setForm] = useState(() => emptyForm(new Intl.DateTimeFormat().resolvedOptions().timeZone));
  const [mistakes, setMistakes] = useState<NewTourMistakes>(NO_MISTAKES);
  const [tries, setTries] = useState(0);
  const { outcome, send, forget } = useSending();
  const element = useRef<HTMLFormElement>(null);
  useFocusOnMistake(element, tries);
  useUnsaved(form.name !== "" && outcome.kind !== "sending", t("operate.unsaved"));
  const currencies = useMemo(() => currencyChoices(language), [language]);

  const proposed = proposedId(form.name, taken);
  const refused = outcome.kind === "refused" ? placed(outcome.refusal, form) : null;
  const wrong = (field: TourField): string | undefined => mistakes.tour[field] ?? refused?.tour[field];
  const change = useCallback(
    (part: Partial<Form>, ...right: TourField[]): void => {
      setForm((before) => ({ ...before, ...part }));
      setMistakes(({ tour, departures }) => ({
        tour: { ...tour, ...Object.fromEntries(right.map((field) => [field, undefined])) },
        departures,
      }));
      forget();
    },
    [forget],
  );
  const chooseCurrency = useCallback((currency: string) => change({ currency }, "currency", "price"), [change]);
  const chooseZone = useCallback((timeZone: string) => change({ timeZone }, "timeZone"), [change]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const read = readNewTour(speech, form, proposed);
    setMistakes("mistakes" in read ? read.mistakes : NO_MISTAKES);
    if ("wish" in read && (await send(() => createTour(insist, read.wish)))) onMade(read.wish.id);
    else setTries((before) => before + 1);
  };
  return (
    <form ref={element} noValidate className={styles["form"]} onSubmit={(event) => void submit(event)}>
      <Card withBorder padding="lg" className={styles["fields"] ?? ""}>
        <TextInput
          label={t("operate.name")}
          error={wrong("name")}
          autoComplete="off"
          value={form.name}
          required
          withAsterisk={false}
          onChange={(event) => change({ name: event.currentTarget.value }, "name", "id")}
        />
        <TextInput
          label={t("operate.id")}
          description={t("operate.id.hint")}
          error={wrong("id")}
          autoComplete="off"
          spellCheck={false}
          value={form.id ?? proposed}
          required
          withAsterisk={false}
          onChange={(event) => change({ id: event.currentTarget.value }, "id")}
        />
        <TextInput
          label={t("operate.price.each")}
          description={t("operate.price.hint")}
          error={wrong("price")}
          autoComplete="off"
          inputMode="decimal"
          value={form.price}
          required
          withAsterisk={false}
          onChange={(event) => change({ price: event.currentTarget.value }, "price")}
        />
        <ChoiceFromMany
          label={t("operate.currency")}
          description={t("operate.currency.hint")}
          error={wrong("currency")}
          choices={currencies}
          value={form.currency}
          onChange={chooseCurrency}
        />
        <ChoiceFromMany
          label={t("operate.zone")}
          description={t("operate.zone.now", { time: speech.time(new Date(), form.timeZone) })}
          error={wrong("timeZone")}
          choices={ZONES}
          value={form.timeZone}
          onChange={chooseZone}
        />
      </Card>
      <Card withBorder padding="lg">
        <fieldset className={styles["kinds"]}>
          <legend>{t("operate.kind")}</legend>
          {([true, false] as const).map((dated) => (
            <label key={String(dated)}>
              <input type="radio" name="kind" checked={form.dated === dated} onChange={() => change({ dated }, "capacity")} />
              <span>
                {t(dated ? "operate.kind.dated" : "operate.kind.undated")}
                <span className="muted">{t(dated ? "operate.kind.dated.hint" : "operate.kind.undated.hint")}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {form.dated ? (
          <>
            {form.departures.map((departure, at) => (
              <fieldset key={departure.id} className={styles["newDeparture"]}>
                <legend>{t("operate.departure.number", { number: at + 1 })}</legend>
                <DepartureFields
                  form={departure}
                  zone={form.timeZone}
                  mistakes={{ ...mistakes.departures[departure.id], ...refused?.departures[departure.id] }}
                  onChange={(part) => {
                    change({ departures: form.departures.map((one) => (one === departure ? { ...one, ...part } : one)) });
                    setMistakes(({ tour, departures }) => ({ tour, departures: { ...departures, [departure.id]: {} } }));
                  }}
                />
                <Button
                  size="compact-sm"
                  variant="subtle"
                  type="button"
                  onClick={() => change({ departures: form.departures.filter((one) => one !== departure) })}
                >
                  {t("operate.departure.remove", { number: at + 1 })}
                </Button>
              </fieldset>
            ))}
            <div>
              <Button
                variant="default"
                type="button"
                onClick={() => change({ departures: [...form.departures, nextDeparture(form.departures)] })}
              >
                {t(form.departures.length === 0 ? "operate.departure.first" : "operate.departure.another")}
              </Button>
              {form.departures.length === 0 && <p className={styles["hint"]}>{t("operate.departures.later")}</p>}
            </div>
          </>
        ) : (
          <TextInput
            label={t("operate.capacity")}
            error={wrong("capacity")}
            autoComplete="off"
            inputMode="numeric"
            value={form.capacity}
            required
            withAsterisk={false}
            onChange={(event) => change({ capacity: event.currentTarget.value }, "capacity")}
          />
        )}
      </Card>
      <OutcomeNotice outcome={outcome} placed={refused !== null} />
      <div className={styles["actions"]}>
        <Button type="submit" loading={outcome.kind === "sending"}>
          {t("operate.new.submit")}
        </Button>
      </div>
    </form>
  );
}

const ZONES = zones().map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));

function currencyChoices(language: string): readonly { readonly value: string; readonly label: string }[] {
  const names = new Intl.DisplayNames(language, { type: "currency" });
  return Intl.supportedValuesOf("currency").map((code) => ({ value: code, label: `${code} \u2013 ${names.of(code) ?? code}` }));
}
