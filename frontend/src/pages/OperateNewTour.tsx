/** For operators: the page on which a tour is made. */
import { Container, Title } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { useLocation } from "wouter";
import { addressed, PageLink } from "../components/PageLink";
import { usePageTitle, useSpeech } from "../hooks";
import { NewTourForm } from "../operate/NewTourForm";
import styles from "../operate/operate.module.css";
import { useOperatedTours } from "../operate/useOperated";

export function OperateNewTour(): ReactNode {
  const { t, language } = useSpeech();
  usePageTitle(t("operate.new"));
  const [, navigate] = useLocation();
  // Only to propose an id that is free: the form waits for nothing.
  const { value } = useOperatedTours();
  const taken = useMemo(() => new Set(value?.map(({ id }) => id)), [value]);
  return (
    <Container component="main" size="sm" id="content" tabIndex={-1} className="page">
      <p className={styles["back"]}>
        <PageLink to="/operate">{t("operate.back")}</PageLink>
      </p>
      <div className="page-head">
        <Title order={1}>{t("operate.new")}</Title>
        <p className="muted">{t("operate.new.lead")}</p>
      </div>
      <NewTourForm
        taken={taken}
        onMade={(tourId) => navigate(addressed(`/operate/tours/${encodeURIComponent(tourId)}`, language))}
      />
    </Container>
  );
}
