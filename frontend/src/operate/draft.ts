/**
 * What somebody is writing over values that others may change meanwhile.
 *
 * A field that is not written in shows what is so now, as it changes. One that is remembers what it was when the writing
 * began: where that is no longer so, and is not what is wished either, two people want two things, and the writer is asked.
 */

/** What is written in a field, and the value that it had when that began. */
export interface Written {
  readonly text: string;
  readonly base: string;
}

/** A field that is not in it was not written in. */
export type Draft<Name extends string> = ReadonlyMap<Name, Written>;

/** Values in a form in which the same are equal texts: hundredths, whole numbers, moments in UTC. */
export type Values<Name extends string> = Readonly<Record<Name, string>>;

/** The value that a text means, or null where it is not one. */
export type Read<Name extends string> = (name: Name, text: string) => string | null;

/** The draft after a field was written in. To write what is so already is to write nothing. */
export function write<Name extends string>(
  draft: Draft<Name>,
  name: Name,
  text: string,
  now: Values<Name>,
  read: Read<Name>,
): Draft<Name> {
  if (read(name, text) === now[name]) return without(draft, name);
  return new Map(draft).set(name, { text, base: draft.get(name)?.base ?? now[name] });
}

/** The draft without what was written in a field: it shows again what is so. */
export function without<Name extends string>(draft: Draft<Name>, name: Name): Draft<Name> {
  const others = new Map(draft);
  others.delete(name);
  return others;
}

/** The draft of somebody who has seen what is so now, and wants their own all the same. */
export function insisted<Name extends string>(draft: Draft<Name>, name: Name, now: Values<Name>): Draft<Name> {
  const written = draft.get(name);
  return written === undefined ? draft : new Map(draft).set(name, { ...written, base: now[name] });
}

/** The fields that saving would change. */
export function changed<Name extends string>(draft: Draft<Name>, now: Values<Name>, read: Read<Name>): readonly Name[] {
  return [...draft].filter(([name, { text }]) => read(name, text) !== now[name]).map(([name]) => name);
}

/** Of these, the ones that somebody else has changed since. */
export function contested<Name extends string>(
  draft: Draft<Name>,
  now: Values<Name>,
  read: Read<Name>,
): readonly Name[] {
  return changed(draft, now, read).filter((name) => draft.get(name)?.base !== now[name]);
}
