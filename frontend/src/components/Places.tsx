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
        {PLACES.map(({ path, name, role }) => {
          if (name === undefined || (role !== undefined && !has(session, role))) return null;
          const link = path.replace(/\/:\w+\?$/, "");
          return (
            <li key={path}>
              <PageLink to={link} current={link === here || (link !== path && here.startsWith(`${link}/`))}>
                {t(name)}
              </PageLink>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
