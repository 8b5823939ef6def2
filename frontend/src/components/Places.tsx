/** The links to every page that is for whoever is signed in. */
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { useSpeech } from "../hooks";
import { PLACES } from "../places";
import { has, useSession } from "../session";
import { PageLink } from "./PageLink";
import styles from "./Places.module.css";

export function Places(): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const [here] = useLocation();
  return (
    <nav className={styles["places"]} aria-label={t("place.all")}>
      <ul>
        {PLACES.map(({ path, name, role }) =>
          name === undefined || (role !== undefined && !has(session, role)) ? null : (
            <li key={path}>
              <PageLink to={path} current={path === here}>
                {t(name)}
              </PageLink>
            </li>
          ),
        )}
      </ul>
    </nav>
  );
}
