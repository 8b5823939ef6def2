/** Lines over time, drawn by uPlot on a canvas: loaded when the first chart is shown. */
import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useSpeech } from "../hooks";
import type { Speech } from "../text";
import { labelOf, valueOf } from "./lines";
import { columns, type Line, type Sample, WINDOW_MS } from "./history";
import styles from "./TimeChart.module.css";

const HEIGHT = 180;
const LONGEST_SECONDS = WINDOW_MS / 1_000;
/** So that the first minutes are not a dot at the edge of an empty quarter of an hour. */
const SHORTEST_SECONDS = 120;
/** Lines that touch differ in more than their colour. */
const DASHES = [[], [6, 4], [2, 3]];

interface Props {
  readonly samples: readonly Sample[];
  readonly lines: readonly Line[];
  readonly fromZero: boolean;
}

export function TimeChart({ samples, lines, fromZero }: Props): ReactNode {
  const speech = useSpeech();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const data = useMemo(() => columns(samples, lines), [samples, lines]);

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const made = new uPlot(
      {
        ...optionsOf(element, lines.length, fromZero, speech),
        width: element.clientWidth,
        hooks: { setCursor: [({ cursor }) => setPointed(cursor.idx ?? null)] },
      },
      undefined,
      element,
    );
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    plot.current = made;
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // The colours are read from the style sheet, so another scheme is another chart.
  }, [lines.length, fromZero, speech, scheme]);

  // After the effect above: a chart that was just made has no data yet.
  useEffect(() => plot.current?.setData(data), [data, lines.length, fromZero, speech, scheme]);

  return (
    <>
      <Legend data={data} at={pointed} lines={lines} />
      <div ref={host} className={styles["plot"]} />
    </>
  );
}

interface LegendProps {
  readonly data: ReturnType<typeof columns>;
  /** The column that the pointer is on, or null for the newest. */
  readonly at: number | null;
  readonly lines: readonly Line[];
}

function Legend({ data: [times, ...values], at, lines }: LegendProps): ReactNode {
  const speech = useSpeech();
  const index = at ?? times.length - 1;
  const moment = times[index];
  return (
    <ul className={styles["legend"]}>
      {lines.map((line, number) => (
        <li key={line} data-line={number}>
          {lines.length > 1 && <span>{labelOf(line, speech)}</span>}
          <strong>{valueOf(line, values[number]?.[index], speech)}</strong>
        </li>
      ))}
      <li className={styles["moment"]}>
        {moment === undefined ? "" : speech.clock(new Date(moment * 1_000), new Date())}
      </li>
    </ul>
  );
}

/** How it looks and moves; `element` is where its colours are found. */
function optionsOf(element: Element, lines: number, fromZero: boolean, speech: Speech): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const axis: uPlot.Axis = {
    stroke: colour("--ink-soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: 0,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: "admin" } },
    scales: {
      x: {
        range: (_, first, last) => {
          const span = Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, last - first));
          return [last - span, last];
        },
      },
      y: {
        range: {
          min: fromZero ? { soft: 0, mode: 1 } : { pad: 0.1, hard: 0 },
          max: { pad: 0.1, soft: 1, mode: 1 },
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: 70,
        incrs: [60, 120, 300, 600],
        values: (_, moments) => moments.map((at) => speech.time(new Date(at * 1_000), zone)),
      },
      {
        ...axis,
        incrs: [1, 2, 5].flatMap((step) => Array.from({ length: 10 }, (_, power) => step * 10 ** power)).sort((a, b) => a - b),
        values: (_, amounts) => amounts.map(speech.number),
        size: (_, labels) => 18 + 7 * Math.max(1, ...(labels ?? []).map((label) => label.length)),
      },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, at): uPlot.Series => {
        const dash = DASHES[at % DASHES.length] ?? [];
        return {
          stroke: colour(`--line-${at % DASHES.length}`),
          width: 2,
          dash,
          spanGaps: false,
          points: { show: false },
          ...(stepped === undefined ? {} : { paths: stepped }),
        };
      }),
    ],
  };
}
