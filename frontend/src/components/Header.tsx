/** Name, connection, language, theme, notifications and account: on every page. */
import { Button, Container } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocation, useSearch } from "wouter";
import { useSpeech } from "../hooks";
import icon from "../icon.svg";
import type { Language } from "../text";
import { Account } from "./Account";
import { Bell } from "./Bell";
import { ConnectionBadge } from "./ConnectionStatus";
import { addressed, PageLink } from "./PageLink";
import { Places } from "./Places";
import { ThemeChoice } from "./ThemeChoice";

export function Header({ onLanguage }: { readonly onLanguage: (language: Language) => void }): ReactNode {
  const { t, language } = useSpeech();
  const [path] = useLocation();
  const search = useSearch();
  const other: Language = language === "fr" ? "en" : "fr";
  return (
    <header className="bar">
      <a className="skip" href="#content">
        {t("page.skip")}
      </a>
      <Container size="xl" className="bar-line">
        <PageLink to="/" className="brand">
          <img src={icon} alt="" width="28" height="28" />
          <span>Seatcast</span>
        </PageLink>
        <ConnectionBadge />
        <Button
          component="a"
          href={addressed(`${path}?${search}`, other)}
          hrefLang={other}
          lang={other}
          variant="subtle"
          size="compact-sm"
          className="language"
          title={t("language.switch")}
          onClick={(event) => {
            event.preventDefault();
            onLanguage(other);
          }}
        >
          <span className="wide">{t("language.other")}</span>
          <span className="narrow">{other.toUpperCase()}</span>
        </Button>
        <ThemeChoice />
        <Bell />
        <Account />
      </Container>
      <Container size="xl">
        <Places />
      </Container>
    </header>
  );
}
