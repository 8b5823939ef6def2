/**
 * A list that does not move under the hand: while somebody points at it or has the focus in it, rows stay where they
 * are and change in place. A row that jumps away between aiming and pressing opens the wrong conversation, and one that
 * moves while a screen reader goes through the list is read twice or never. What has moved is said, and put in order
 * as soon as the hand is gone, or when it asks.
 */
import { type FocusEvent, type HTMLAttributes, useState } from "react";

/** What is shown in place of `ids`, in their order as `kept` has it: none moves, only what is older comes after them. */
export function held(kept: readonly string[], ids: readonly string[], known: ReadonlySet<string>): readonly string[] {
  const end = Math.max(-1, ...kept.map((id) => ids.indexOf(id)));
  const after = ids.slice(end + 1);
  return [...kept.filter((id) => known.has(id)), ...after];
}

interface Held {
  readonly shown: readonly string[];
  /** Is another order waiting? */
  readonly behind: boolean;
  /** Put it in order now. */
  readonly catchUp: () => void;
  /** For the element around the list. */
  readonly hand: Pick<HTMLAttributes<HTMLElement>, "onPointerEnter" | "onPointerLeave" | "onFocus" | "onBlur">;
}

/** `ids` in their order, but held while the list is in use; `known` are the rows that there still are. */
export function useHeldOrder(ids: readonly string[], known: ReadonlySet<string>): Held {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const [kept, setKept] = useState(ids);
  const shown = pointed || focused ? held(kept, ids, known) : ids;
  if (!same(shown, kept)) setKept(shown);
  return {
    shown,
    behind: !same(shown, ids),
    catchUp: () => setKept(ids),
    hand: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: FocusEvent<HTMLElement>) => setFocused(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, at) => id === other[at]);
}
