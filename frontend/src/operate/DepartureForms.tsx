/** The two forms of a departure: one that adds it, and one that changes it while others may do so too. */
import { Button } from "@mantine/core";
import type { DeparturePatch } from "@seatcast/client";
import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { useAnnounce } from "../components/Announcer";
import { useApi } from "../bookings";
import { useSpeech } from "../hooks";
import { Contested } from "./Contested";
import { DepartureFields } from "./DepartureFields";
import {
  type DepartureField,
  departureForm,
  type DepartureForm,
  readDeparture,
  startOf,
  startText,
} from "./departureForm";
import type { Mistakes } from "./mistakes";
import { nextDeparture } from "./newTour";
import styles from "./operate.module.css";
import { addDeparture, changeDeparture } from "./operator";
import type { OperatedDeparture } from "./seats";
import { OutcomeNotice, useFocusOnMistake, useSending } from "./sending";
import { useUnsaved } from "../unsaved";
import { useDraft } from "./useDraft";

interface AddProps {
  readonly tourId: string;
  readonly zone: string;
  /** Something has changed: look at the tour again. */
  readonly onChanged: () => Promise<void>;
}

export function AddDeparture({ tourId, zone, onChanged }: AddProps): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const { insist } = useApi();
  const announce = useAnnounce();
  const [form, setForm] = useState(() => nextDeparture([]));
  const [mistakes, setMistakes] = useState<Mistakes<DepartureField>>({});
  const [tries, setTries] = useState(0);
  const { outcome, send, forget } = useSending();
  const element = useRef<HTMLFormElement>(null);
  useFocusOnMistake(element, tries);
  useUnsaved(form.date !== "", t("operate.unsaved"));

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const read = readDeparture(speech, form, zone);
    setMistakes("wrong" in read ? read.wrong : {});
    if ("wrong" in read) return setTries((before) => before + 1);
    const added = await send(() => addDeparture(insist, tourId, { id: form.id, ...read.value }));
    if (!added) return setTries((before) => before + 1);
    // The next one is often at the same time on another day.
    setForm(nextDeparture([form]));
    announce(t("operate.departure.added"));
    await onChanged();
    element.current?.querySelector("input")?.focus();
  };
  const refused = refusedField(outcome);
  return (
    <form ref={element} noValidate className={styles["form"]} onSubmit={(event) => void submit(event)}>
      <DepartureFields
        form={form}
        zone={zone}
        mistakes={{ ...mistakes, ...refused }}
        onChange={(change) => {
          setForm((before) => ({ ...before, ...change }));
          setMistakes(withoutThose(change));
          forget();
        }}
      />
      <OutcomeNotice outcome={outcome} placed={refused !== null} />
      <div className={styles["actions"]}>
        <Button type="submit" loading={outcome.kind === "sending"}>
          {t("operate.departure.add")}
        </Button>
      </div>
    </form>
  );
}

interface ChangeProps extends AddProps {
  readonly departure: OperatedDeparture;
  readonly onDone: () => void;
}

export function ChangeDeparture({ tourId, zone, departure, onChanged, onDone }: ChangeProps): ReactNode {
  const speech = useSpeech();
  const { t, day, time, number } = speech;
  const { insist } = useApi();
  const announce = useAnnounce();
  const [mistakes, setMistakes] = useState<Mistakes<DepartureField>>({});
  const [tries, setTries] = useState(0);
  const { outcome, send, forget } = useSending();
  const element = useRef<HTMLFormElement>(null);
  useFocusOnMistake(element, tries);

  const so = departureForm(departure.startsAt, departure.capacity, zone);
  const read = (form: DepartureForm): ReturnType<typeof readDeparture> =>
    readDeparture(speech, form, zone, { taken: departure, unmoved: departure.startsAt });
  // Each half is read beside a half that is right.
  const draft = useDraft<"start" | "capacity">(
    { start: departure.startsAt, capacity: String(departure.capacity) },
    (name, text) => {
      const options = { now: new Date(0) };
      const found = readDeparture(speech, name === "start" ? { ...so, ...startOf(text) } : { ...so, capacity: text }, zone, options);
      return "wrong" in found ? null : name === "start" ? found.value.startsAt : String(found.value.capacity);
    },
  );
  const form: DepartureForm = {
    ...startOf(draft.text("start", startText(so))),
    capacity: draft.text("capacity", so.capacity),
  };
  useUnsaved(draft.changed.length > 0, t("operate.unsaved"));
  const refused = refusedField(outcome);
  const contest = (name: "start" | "capacity", field: DepartureField): Mistakes<DepartureField> =>
    draft.contested.includes(name) ? { [field]: t("operate.contested.field") } : {};

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const found = read(form);
    setMistakes("wrong" in found ? found.wrong : {});
    if ("wrong" in found || draft.contested.length > 0) return setTries((before) => before + 1);
    if (draft.changed.length === 0) return onDone();
    const saved = await send(() => changeDeparture(insist, tourId, departure.id, patchOf(draft.changed, draft.base, found.value)));
    await onChanged();
    if (!saved) return setTries((before) => before + 1);
    announce(t("operate.saved"));
    onDone();
  };
  const moment = new Date(departure.startsAt);
  const theirStart = `${day(moment, zone, new Date())}, ${time(moment, zone)}`;
  return (
    <form ref={element} noValidate className={styles["form"]} onSubmit={(event) => void submit(event)}>
      <DepartureFields
        form={form}
        zone={zone}
        mistakes={{ ...mistakes, ...contest("start", "date"), ...contest("capacity", "capacity"), ...refused }}
        onChange={(change) => {
          const { capacity, ...start } = change;
          if (capacity !== undefined) draft.write("capacity", capacity);
          else draft.write("start", startText({ ...form, ...start }));
          setMistakes(withoutThose(change));
          forget();
        }}
        besideStart={
          draft.contested.includes("start") && (
            <Contested
              label={t("operate.date")}
              theirs={theirStart}
              onTake={() => {
                draft.take("start");
                forget();
              }}
              onInsist={() => {
                draft.insist("start");
                forget();
              }}
            />
          )
        }
        besideCapacity={
          draft.contested.includes("capacity") && (
            <Contested
              label={t("operate.capacity")}
              theirs={number(departure.capacity)}
              onTake={() => {
                draft.take("capacity");
                forget();
              }}
              onInsist={() => {
                draft.insist("capacity");
                forget();
              }}
            />
          )
        }
      />
      {departure.sold > 0 && draft.changed.includes("start") && (
        <p className={styles["hint"]}>{t("operate.departure.move", { count: departure.sold })}</p>
      )}
      <OutcomeNotice outcome={outcome} placed={refused !== null || draft.contested.length > 0} />
      <div className={styles["actions"]}>
        <Button type="button" variant="default" onClick={onDone}>
          {t("operate.cancel")}
        </Button>
        <Button type="submit" loading={outcome.kind === "sending"}>
          {t("operate.save")}
        </Button>
      </div>
    </form>
  );
}

/** Only what was changed is sent, with what it was: somebody else's change of it is refused, and of the rest let be. */
function patchOf(
  names: readonly ("start" | "capacity")[],
  base: (name: "start" | "capacity") => string | undefined,
  { startsAt, capacity }: { readonly startsAt: string; readonly capacity: number },
): DeparturePatch {
  const start = names.includes("start");
  const seats = names.includes("capacity");
  return {
    ...(start ? { startsAt } : {}),
    ...(seats ? { capacity } : {}),
    expected: {
      ...(start ? { startsAt: base("start") ?? startsAt } : {}),
      ...(seats ? { capacity: Number(base("capacity")) } : {}),
    },
  };
}

function refusedField(outcome: ReturnType<typeof useSending>["outcome"]): Mistakes<DepartureField> | null {
  if (outcome.kind !== "refused") return null;
  const { field, sentence } = outcome.refusal;
  if (field === "capacity") return { capacity: sentence };
  return field === "startsAt" ? { date: sentence } : null;
}

/** Drop the sentences at the fields that are being written in. */
function withoutThose(change: Partial<DepartureForm>): (mistakes: Mistakes<DepartureField>) => Mistakes<DepartureField> {
  const right = change.capacity === undefined ? { date: undefined, time: undefined } : { capacity: undefined };
  return (mistakes) => ({ ...mistakes, ...right });
}
