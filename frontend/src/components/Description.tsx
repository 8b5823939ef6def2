/** A tour's description as everybody reads it: plain text, its lines as they are, addresses as links; nothing is markup. */
import type { ReactNode } from "react";
import { pieces } from "../links";
import styles from "./Description.module.css";

export function Description({ text }: { readonly text: string }): ReactNode {
  return (
    <p className={styles["description"]}>
      {pieces(text.trim()).map((piece, at) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          // Who writes a description vouches for no other site, and that site learns nothing of this page.
          <a key={at} href={piece.href} rel="nofollow noopener noreferrer">
            {piece.text}
          </a>
        ),
      )}
    </p>
  );
}
