/** A draft (`draft.ts`) as the state of a form. */
import { useState } from "react";
import { changed, contested, type Draft, insisted, type Read, type Values, without, write } from "./draft";

export interface FormDraft<Name extends string> {
  /** What stands in a field: what was written, or what is so. `shown` writes a value as people read it. */
  readonly text: (name: Name, shown: string) => string;
  /** What was so when the writing in a field began; undefined where nothing was written. */
  readonly base: (name: Name) => string | undefined;
  /** Fields that saving would change. */
  readonly changed: readonly Name[];
  /** Of these, the ones that somebody else has changed meanwhile. */
  readonly contested: readonly Name[];
  readonly write: (name: Name, text: string) => void;
  /** Let somebody else's value stand. */
  readonly take: (name: Name) => void;
  /** Want one's own value over somebody else's. */
  readonly insist: (name: Name) => void;
  readonly clear: () => void;
}

export function useDraft<Name extends string>(now: Values<Name>, read: Read<Name>): FormDraft<Name> {
  const [draft, setDraft] = useState<Draft<Name>>(new Map());
  return {
    text: (name, shown) => draft.get(name)?.text ?? shown,
    base: (name) => draft.get(name)?.base,
    changed: changed(draft, now, read),
    contested: contested(draft, now, read),
    write: (name, text) => setDraft((written) => write(written, name, text, now, read)),
    take: (name) => setDraft((written) => without(written, name)),
    insist: (name) => setDraft((written) => insisted(written, name, now)),
    clear: () => setDraft(new Map()),
  };
}
