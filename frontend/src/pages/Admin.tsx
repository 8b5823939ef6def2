/** The shop as an operator watches it: figures, charts, tours, gateways, and what comes over the connection. */
import { Container, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Aged } from "../admin/Aged";
import { Charts } from "../admin/Charts";
import { EventTail } from "../admin/EventTail";
import { Gateways } from "../admin/Gateways";
import { LiveFigures } from "../admin/LiveFigures";
import { useReading, useShop } from "../admin/shop";
import { ToursTable } from "../admin/ToursTable";
import { ConnectionNotice } from "../components/ConnectionStatus";
import { Forbidden } from "../components/Forbidden";
import { usePageTitle, useSpeech } from "../hooks";
import { useSession } from "../session";
import styles from "./Admin.module.css";

export function Admin(): ReactNode {
  const { t } = useSpeech();
  usePageTitle(t("admin.heading"));
  const shop = useShop(useSession()?.userId ?? "");
  const { problem } = useReading(shop);
  // The service knows better than the token in this tab what its bearer may see.
  if (problem === "refused") return <Forbidden role="admin" />;
  return (
    <Container component="main" size="xl" id="content" tabIndex={-1} className="page">
      <div className="page-head">
        <Title order={1}>{t("admin.heading")}</Title>
        <p className="muted">{t("admin.lead")}</p>
      </div>
      <ConnectionNotice />
      <Aged shop={shop} className={styles["sections"]}>
        <Section title={t("admin.now")}>
          <LiveFigures shop={shop} />
        </Section>
        <Section title={t("admin.charts")}>
          <Charts shop={shop} />
        </Section>
        <Section title={t("admin.tours")}>
          <ToursTable shop={shop} />
        </Section>
        <div className={styles["beside"]}>
          <Section title={t("admin.gateways")}>
            <Gateways shop={shop} />
          </Section>
          <Section title={t("admin.tail")} ages={false}>
            <EventTail />
          </Section>
        </div>
      </Aged>
    </Container>
  );
}

interface SectionProps {
  readonly title: string;
  /** What it shows may grow old. */
  readonly ages?: boolean;
  readonly children: ReactNode;
}

function Section({ title, ages = true, children }: SectionProps): ReactNode {
  return (
    <section data-ages={ages || undefined}>
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {children}
    </section>
  );
}
