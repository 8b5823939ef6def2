/** How full: a word, an icon, a shape and a colour that say the same. */
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { type Level, levelOf } from "../level";
import { FewIcon, LastIcon, ManyIcon, NoneIcon } from "./icons";

const ICONS: Readonly<Record<Level, () => ReactNode>> = {
  many: ManyIcon,
  few: FewIcon,
  last: LastIcon,
  none: NoneIcon,
};

export function SeatsLevel({ seats }: { readonly seats: number }): ReactNode {
  const { t } = useSpeech();
  const level = levelOf(seats);
  const Shape = ICONS[level];
  return (
    <span className="level" data-level={level}>
      <Shape />
      {t(`level.${level}`)}
    </span>
  );
}
