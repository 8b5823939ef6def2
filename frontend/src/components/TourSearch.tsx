/** Search, date and order of the tours. Native fields: by keyboard, by touch and to a screen reader they are as usual. */
import { NativeSelect, TextInput } from "@mantine/core";
import "@mantine/core/styles/Input.css";
import { type ReactNode, type Ref, useEffect, useEffectEvent, useState } from "react";
import { useSpeech } from "../hooks";
import { LONGEST_TEXT, type Sort, SORTS, type Wanted } from "../wanted";
import styles from "./TourSearch.module.css";

/** After the last key: each word written into the address is one of few that browsers allow in a while. */
const TYPING_MS = 250;

interface Props {
  readonly wanted: Wanted;
  readonly onWant: (change: Partial<Wanted>) => void;
  /** The field for words: where the keyboard goes when everything is shown again. */
  readonly textField: Ref<HTMLInputElement>;
}

export function TourSearch({ wanted, onWant, textField }: Props): ReactNode {
  const { t } = useSpeech();
  const [typed, type] = useTyped(wanted.text, (text) => onWant({ text }));
  return (
    <search aria-label={t("search.label")} className={styles["search"]}>
      <TextInput
        ref={textField}
        type="search"
        size="md"
        className={styles["text"]}
        label={t("search.text")}
        autoComplete="off"
        enterKeyHint="search"
        maxLength={LONGEST_TEXT}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <TextInput
        type="date"
        size="md"
        label={t("search.date")}
        title={t("search.date.hint")}
        value={wanted.date ?? ""}
        onChange={(event) => onWant({ date: event.currentTarget.value || null })}
      />
      <NativeSelect
        size="md"
        label={t("search.sort")}
        value={wanted.sort}
        onChange={(event) => onWant({ sort: event.currentTarget.value as Sort })}
        data={SORTS.map((sort) => ({ value: sort, label: t(`search.sort.${sort}`) }))}
      />
    </search>
  );
}

/** What is in a field, told to `tell` once typing pauses; where `told` changes elsewhere (the back button), that wins. */
function useTyped(told: string, tell: (text: string) => void): readonly [string, (text: string) => void] {
  const [typing, setTyping] = useState<{ readonly text: string; readonly over: string } | null>(null);
  if (typing !== null && typing.over !== told) setTyping(null);
  const say = useEffectEvent(tell);
  useEffect(() => {
    if (typing === null) return undefined;
    const timer = window.setTimeout(() => say(typing.text), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [typing]);
  return [typing?.text ?? told, (text) => setTyping({ text, over: told })];
}
