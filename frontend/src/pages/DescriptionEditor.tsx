/** A tour's public description, written by several people at once, and how travellers see it meanwhile. */
import { Card, Container, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { TourDescription } from "../components/TourDescription";
import { Notice } from "../components/Notice";
import { PageLink } from "../components/PageLink";
import { usePageTitle, useSpeech } from "../hooks";
import type { PageProps } from "../places";
import { type Session, useSession } from "../session";
import { useTourName } from "../tourname";
import { Writing } from "../editor/Writing";
import styles from "./DescriptionEditor.module.css";

export function DescriptionEditor({ params }: PageProps): ReactNode {
  const session = useSession();
  const { tourId } = params;
  // The page is for who is signed in alone, and its address has an id.
  if (session === null || tourId === undefined) return null;
  return <Editor key={tourId} tourId={tourId} session={session} />;
}

function Editor({ tourId, session }: { readonly tourId: string; readonly session: Session }): ReactNode {
  const { t } = useSpeech();
  const name = useTourName(tourId);
  usePageTitle(name ?? t("editor.missing"));
  if (name === null) {
    return (
      <Notice title={t("editor.missing")} hint={t("place.missing.hint")}>
        <PageLink to="/descriptions">{t("editor.back")}</PageLink>
      </Notice>
    );
  }
  return (
    <Container component="main" size="xl" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <p className={styles["back"]}>
          <PageLink to="/descriptions">{t("editor.back")}</PageLink>
        </p>
        <Title order={1} className={styles["title"]}>
          {name}
        </Title>
      </div>
      <div className={styles["halves"]}>
        <Writing key={session.userId} tourId={tourId} session={session} />
        <Preview tourId={tourId} />
      </div>
    </Container>
  );
}

/** What the service tells everybody: not what is in the box, but what is stored and public. */
function Preview({ tourId }: { readonly tourId: string }): ReactNode {
  const { t } = useSpeech();
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <Title order={2} size="h4" id={heading} className={styles["heading"]}>
        {t("editor.preview")}
      </Title>
      <Card withBorder padding="lg">
        <TourDescription tourId={tourId} />
      </Card>
    </section>
  );
}
