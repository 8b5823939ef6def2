/** The last quarter of an hour: each chart with the same figures as a table, for screen readers and for everybody. */
import { Button, Card, Skeleton, Title, VisuallyHidden } from "@mantine/core";
import { lazy, memo, type ReactNode, Suspense, useId, useMemo, useState } from "react";
import { useSpeech } from "../hooks";
import styles from "./Charts.module.css";
import { type Chart, CHARTS, labelOf, linesOf, valueOf } from "./lines";
import { byMinute, type Line, type Sample } from "./history";
import { type Shop, useSamples } from "./shop";

const TimeChart = lazy(async () => ({ default: (await import("./TimeChart")).TimeChart }));

export function Charts({ shop }: { readonly shop: Shop }): ReactNode {
  const samples = useSamples(shop);
  return (
    <div className={styles["charts"]}>
      {CHARTS.map((chart) => (
        <ChartCard key={chart.name} chart={chart} samples={samples} />
      ))}
    </div>
  );
}

interface Props {
  readonly chart: Chart;
  readonly samples: readonly Sample[];
}

const ChartCard = memo(function ChartCard({ chart, samples }: Props): ReactNode {
  const { t } = useSpeech();
  const [asTable, setAsTable] = useState(false);
  const headingId = useId();
  const names = linesOf(chart, samples).join("\n");
  const lines = useMemo(() => (names === "" ? [] : (names.split("\n") as Line[])), [names]);
  const table = <ChartTable caption={t(chart.title)} lines={lines} samples={samples} />;
  return (
    <Card withBorder padding="md">
      <header className={styles["head"]}>
        <Title order={3} size="h5" id={headingId}>
          {t(chart.title)}
        </Title>
        <Button
          size="compact-xs"
          variant="default"
          aria-pressed={asTable}
          aria-label={t("admin.asTable.of", { what: t(chart.title) })}
          onClick={() => setAsTable(!asTable)}
        >
          {t("admin.asTable")}
        </Button>
      </header>
      {asTable ? (
        <div className={styles["table"]} role="region" aria-labelledby={headingId} tabIndex={0}>
          {table}
        </div>
      ) : (
        <>
          {/* A drawing says nothing to a screen reader: the table says it. */}
          <div aria-hidden="true">
            <Suspense fallback={<Skeleton height={216} />}>
              <TimeChart samples={samples} lines={lines} fromZero={chart.fromZero} />
            </Suspense>
          </div>
          <VisuallyHidden>{table}</VisuallyHidden>
        </>
      )}
    </Card>
  );
});

interface TableProps {
  readonly caption: string;
  readonly lines: readonly Line[];
  readonly samples: readonly Sample[];
}

function ChartTable({ caption, lines, samples }: TableProps): ReactNode {
  const speech = useSpeech();
  const { t, time } = speech;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <table>
      <caption>{t("admin.chartCaption", { what: caption })}</caption>
      <thead>
        <tr>
          <th scope="col">{t("admin.time")}</th>
          {lines.map((line) => (
            <th key={line} scope="col">
              {labelOf(line, speech)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {byMinute(samples).map(({ minute, values }) => (
          <tr key={minute}>
            <th scope="row">{time(new Date(minute), zone)}</th>
            {values === null ? (
              <td colSpan={lines.length}>{t("admin.gap")}</td>
            ) : (
              lines.map((line) => <td key={line}>{valueOf(line, values[line], speech)}</td>)
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
