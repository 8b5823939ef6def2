/** Every tour on sale with the state of its description: which are still to be written? */
import { Alert, Button, Card, Container, Skeleton, TextInput, Title, VisuallyHidden } from "@mantine/core";
import "@mantine/core/styles/Input.css";
import { useClient, useListState, useTourAvailability, useTourDescription, useTours } from "@seatcast/client/react";
import { type ReactNode, useState } from "react";
import { arrange } from "../arrange";
import { PageLink } from "../components/PageLink";
import { usePageTitle, useSpeech } from "../hooks";
import styles from "./DescriptionList.module.css";

/** Each tour that is shown is read by itself. */
const AT_ONCE = 30;

export function DescriptionList(): ReactNode {
  const { t } = useSpeech();
  usePageTitle(t("descriptions.heading"));
  return (
    <Container component="main" size="lg" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("descriptions.heading")}</Title>
        <p className="muted">{t("descriptions.lead")}</p>
      </div>
      <Tours />
    </Container>
  );
}

function Tours(): ReactNode {
  const { t } = useSpeech();
  const client = useClient();
  const ids = useTours();
  const state = useListState();
  const [words, setWords] = useState("");
  const [shown, setShown] = useState(AT_ONCE);
  const tours = ids.map(client.tour).filter((tour) => tour !== null);
  const found = arrange(tours, { text: words, sort: "name", date: null });
  if (ids.length === 0) return <NoTours state={state} onRetry={client.retry} />;
  return (
    <>
      <TextInput
        type="search"
        className={styles["search"]}
        label={t("descriptions.search")}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {found.length === 0 && (
        <p className="muted" role="status">
          {t("descriptions.nothing", { words: words.trim() })}
        </p>
      )}
      <ul className={styles["list"]}>
        {found.slice(0, shown).map((id) => (
          <Tour key={id} id={id} />
        ))}
      </ul>
      {found.length > shown && (
        <Button variant="default" mt="md" onClick={() => setShown(shown + AT_ONCE)}>
          {t("descriptions.more", { count: Math.min(AT_ONCE, found.length - shown) })}
        </Button>
      )}
    </>
  );
}

function Tour({ id }: { readonly id: string }): ReactNode {
  const { t } = useSpeech();
  const name = useTourAvailability(id)?.name ?? id;
  const description = useTourDescription(id)?.trim();
  return (
    <li>
      <Card withBorder padding="md" className={styles["tour"]}>
        <div className={styles["line"]}>
          <span className={styles["name"]}>
            <PageLink to={`/descriptions/${encodeURIComponent(id)}`}>{name}</PageLink>
          </span>
          {description === undefined ? (
            <Skeleton width={90} height={22} />
          ) : (
            <span className={styles["state"]} data-none={description === "" ? "" : undefined}>
              {description === "" ? t("descriptions.none") : t("descriptions.words", { count: description.split(/\s+/).length })}
            </span>
          )}
        </div>
        {description !== undefined && description !== "" && <p className={styles["text"]}>{description}</p>}
      </Card>
    </li>
  );
}

interface NoToursProps {
  readonly state: ReturnType<typeof useListState>;
  readonly onRetry: () => void;
}

/** Loading, empty and out of reach are three different things to tell. */
function NoTours({ state, onRetry }: NoToursProps): ReactNode {
  const { t } = useSpeech();
  if (state === "failing") {
    return (
      <Alert color="orange" role="alert" title={t("list.failing")}>
        <div className="notice-line">
          <span>{t("list.failing.hint")}</span>
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("booking.retry")}
          </Button>
        </div>
      </Alert>
    );
  }
  if (state === "complete") {
    return (
      <Card withBorder padding="xl" className="empty">
        <p className="strong">{t("list.empty")}</p>
        <p className="muted">{t("list.empty.hint")}</p>
      </Card>
    );
  }
  return (
    <>
      <VisuallyHidden role="status">{t("list.loading")}</VisuallyHidden>
      <Skeleton height={72} />
      <Skeleton height={72} mt={12} />
      <Skeleton height={72} mt={12} />
    </>
  );
}
