/** The demo's random numbers: the newest large, when it came, and the ones before it. */
import { Card, Container, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { usePageTitle, useSpeech } from "../hooks";
import { useNumbers } from "../numbers";

export function RandomNumberDisplay(): ReactNode {
  const { t, number, clock } = useSpeech();
  const numbers = useNumbers();
  usePageTitle(t("numbers.heading"));
  const [newest, ...before] = numbers;
  const when = (timestamp: string): ReactNode => (
    <time dateTime={timestamp}>{clock(new Date(timestamp), new Date())}</time>
  );
  return (
    <Container component="main" size="sm" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("numbers.heading")}</Title>
        <p className="muted">{t("numbers.lead")}</p>
      </div>
      <ConnectionNotice />
      <Card withBorder padding="xl" className="number">
        {newest === undefined ? (
          <p className="muted">{t("numbers.none")}</p>
        ) : (
          <>
            <p key={newest.timestamp} className="number-figure">
              {number(newest.value)}
            </p>
            <p className="muted">
              {t("numbers.received")} {when(newest.timestamp)}
            </p>
          </>
        )}
      </Card>
      {before.length > 0 && (
        <section className="numbers" aria-labelledby="numbers-before">
          <Title order={2} size="h4" id="numbers-before">
            {t("numbers.before")}
          </Title>
          <ol>
            {before.map(({ value, timestamp }) => (
              <li key={timestamp}>
                <strong>{number(value)}</strong> <span className="muted">{when(timestamp)}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </Container>
  );
}
