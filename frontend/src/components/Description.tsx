/** A tour's description as everybody reads it: plain text, its lines as they are. Nothing in it is ever markup. */
import type { ReactNode } from "react";
import styles from "./Description.module.css";

export function Description({ text }: { readonly text: string }): ReactNode {
  return <p className={styles["description"]}>{text.trim()}</p>;
}
