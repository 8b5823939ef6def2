/** The links to every page that is for whoever is signed in. */
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { useSpeech } from "../hooks";
import { linkTo, PLACES, sectionOf } from "../places";
import { has, useSession } from "../session";
import { PageLink } from "./PageLink";
import styles from "./Places.module.css";

export function Places(): ReactNode {
  const { t, language } = useSpeech();
  const session = useSession();
  const [here] = useLocation();
  const section = sectionOf(here);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // The link of this page into the middle, where there are more than fit.
    const current = nav.current?.querySelector<HTMLElement>("[aria-current]");
    if (!nav.current || !current) return;
    nav.current.scrollLeft = current.offsetLeft + (current.offsetWidth - nav.current.clientWidth) / 2;
  }, [here, session, language]);
  return (
    <nav ref={nav} className={styles["places"]} aria-label={t("place.all")}>
      <ul>
        {PLACES.map((place) => {
          const { path, name, role } = place;
          if (name === undefined || (role !== undefined && !has(session, role))) return null;
          const link = linkTo(place);
          return (
            <li key={path}>
              <PageLink to={link} current={link === here || (place === section && "within")}>
                {t(name)}
              </PageLink>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
