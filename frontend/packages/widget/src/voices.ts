/** Who tells screen readers of a tour: where several tags show the same one, the first of them, for all. */
import type { Level } from "../../../src/level";
import type { Seats } from "./shown";
import type { WidgetSpeech } from "./speech";

const tags = new Map<string, Set<object>>();

/** Enter a tag among those that show the same; return how it leaves. */
export function enter(what: string, tag: object): () => void {
  const same = tags.get(what) ?? new Set();
  tags.set(what, same.add(tag));
  return () => {
    same.delete(tag);
    if (same.size === 0) tags.delete(what);
  };
}

export function speaks(what: string, tag: object): boolean {
  return tags.get(what)?.values().next().value === tag;
}

/** The sentence for a step from one level to another; null where that is not worth interrupting anybody. */
export function sentence(before: Level | null, { name, count, level }: Seats, { t }: WidgetSpeech): string | null {
  if (before === null || before === level) return null;
  if (level === "none") return t("announce.none", { tour: name });
  if (before === "none") return t("announce.again", { tour: name });
  return level === "last" ? t("announce.last", { tour: name, count }) : null;
}
