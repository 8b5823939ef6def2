/** Roles, each with its name and what it allows in words. */
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { isRole, type Role } from "../session";
import styles from "./Roles.module.css";

export function Roles({ roles }: { readonly roles: readonly string[] }): ReactNode {
  const { t } = useSpeech();
  return (
    <dl className={styles["roles"]}>
      {titles(roles).map((role) => (
        <div key={role}>
          <dt>{t(`role.${role}`)}</dt>
          <dd className="muted">{t(`role.${role}.may`)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The roles that have a meaning here. Whoever has none of them is a traveller. */
export function titles(roles: readonly string[]): readonly (Role | "traveller")[] {
  const found = roles.filter(isRole);
  return found.length === 0 ? ["traveller"] : found;
}
