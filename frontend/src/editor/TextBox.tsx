/** The text box as a component. The page around it renders as little as it can: the box draws itself. */
import { type ReactNode, useEffect, useEffectEvent, useRef } from "react";
import styles from "./TextBox.module.css";
import { TextBoxView } from "./codemirror";
import type { SharedText } from "./sharedtext";

interface Props {
  readonly shared: SharedText;
  readonly writable: boolean;
  readonly placeholder: string;
  readonly labelledBy: string;
  readonly describedBy: string;
  readonly onText: (text: string) => void;
  readonly onFull: () => void;
}

export function TextBox({ shared, writable, placeholder, labelledBy, describedBy, onText, onFull }: Props): ReactNode {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<TextBoxView | null>(null);
  const changed = useEffectEvent(onText);
  const refused = useEffectEvent(onFull);
  useEffect(() => {
    if (parent.current === null) return undefined;
    const made = new TextBoxView({
      parent: parent.current,
      shared,
      placeholder,
      labelledBy,
      describedBy,
      onText: (text) => changed(text),
      onFull: () => refused(),
    });
    view.current = made;
    changed(shared.text.toString());
    return () => {
      view.current = null;
      made.end();
    };
  }, [shared, placeholder, labelledBy, describedBy]);
  useEffect(() => {
    if (view.current !== null) view.current.writable = writable;
  }, [writable, shared, placeholder, labelledBy, describedBy]);
  return <div ref={parent} className={styles["box"]} data-readonly={writable ? undefined : ""} />;
}
