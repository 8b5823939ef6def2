/** Who is in the document: shown at once, said rarely. */
import { type ReactNode, useEffect, useRef } from "react";
import { useAnnounce } from "../components/Announcer";
import { useSpeech } from "../hooks";
import type { Person } from "./company";
import styles from "./People.module.css";

/** Who is gone for less than this has come back from a tunnel. */
const SETTLED_MS = 3_000;

export function People({ people, connected }: { readonly people: readonly Person[]; readonly connected: boolean }): ReactNode {
  const { t } = useSpeech();
  useSaid(people, connected);
  return (
    <ul className={styles["people"]} aria-label={t("editor.people")}>
      {people.map(({ name, colour, self }) => (
        <li key={name} data-self={self ? "" : undefined}>
          <span className={styles["mark"]} style={{ background: colour }} aria-hidden="true">
            {[...name][0]?.toUpperCase()}
          </span>
          <span className={styles["name"]}>{self ? t("editor.you", { name }) : name}</span>
        </li>
      ))}
    </ul>
  );
}

/** Say who else is here once that has been true for a while. Without a connection nobody knows. */
function useSaid(people: readonly Person[], connected: boolean): void {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const said = useRef("");
  const names = people.flatMap(({ name, self }) => (self ? [] : [name])).join(", ");
  useEffect(() => {
    if (!connected || names === said.current) return undefined;
    const timer = setTimeout(() => {
      said.current = names;
      announce(names === "" ? t("editor.alone") : t("editor.with", { names }));
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [names, connected, announce, t]);
}
