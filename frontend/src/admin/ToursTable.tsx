/** Each tour: sold, held, left, bookings and revenue, in the order of any column. */
import { Alert, Button, Card, Skeleton } from "@mantine/core";
import type { FiguresOfTour } from "@seatcast/client";
import { useTourAvailability } from "@seatcast/client/react";
import { type CSSProperties, memo, type ReactNode, useMemo, useState } from "react";
import { useSpeech } from "../hooks";
import type { Key } from "../locale/fr";
import { seatsOf } from "./figures";
import { type Shop, useReading } from "./shop";
import { type Column, COLUMNS, FIRST_ORDER, inOrder, nextOrder, type Order } from "./sorting";
import styles from "./ToursTable.module.css";

const TITLES: Readonly<Record<Column, Key>> = {
  name: "admin.tour",
  sold: "admin.sold",
  held: "admin.held",
  availableSeats: "admin.left",
  bookings: "admin.bookingsOfTour",
  revenue: "admin.revenue",
};

export function ToursTable({ shop }: { readonly shop: Shop }): ReactNode {
  const { t, clock } = useSpeech();
  const { metrics, problem } = useReading(shop);
  if (metrics === null && problem === null) return <Skeleton height={220} />;
  return (
    <>
      {problem === "unanswered" && (
        <Alert color="orange" title={t("list.failing")} className={styles["problem"]}>
          <div className="notice-line">
            <span>
              {metrics === null
                ? t("list.failing.hint")
                : t("admin.readAt", { time: clock(new Date(metrics.timestamp), new Date()) })}
            </span>
            <Button size="xs" variant="default" onClick={shop.again}>
              {t("booking.retry")}
            </Button>
          </div>
        </Alert>
      )}
      {metrics !== null &&
        (metrics.tours.length === 0 ? (
          <Card withBorder padding="xl" className="empty">
            <p className="strong">{t("admin.empty")}</p>
            <p className="muted">{t("admin.empty.hint")}</p>
          </Card>
        ) : (
          <Table tours={metrics.tours} readAt={metrics.timestamp} />
        ))}
    </>
  );
}

interface TableProps {
  readonly tours: readonly FiguresOfTour[];
  readonly readAt: string;
}

/** Rows change with each seat, their order only with each reading: nothing jumps away from under a finger. */
function Table({ tours, readAt }: TableProps): ReactNode {
  const { t, language } = useSpeech();
  const [order, setOrder] = useState(FIRST_ORDER);
  const ordered = useMemo(() => inOrder(tours, order, language), [tours, order, language]);
  // Its rows are laid out one by one, and browsers forget that such a thing is a table: hence the roles.
  return (
    <Card withBorder padding={0} className={styles["box"]}>
      <table className={styles["tours"]} role="table" aria-label={t("admin.tours")}>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((column) => (
              <Heading key={column} column={column} order={order} onChoose={() => setOrder(nextOrder(order, column))} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {ordered.map((tour) => (
            <Row key={tour.id} tour={tour} readAt={readAt} />
          ))}
        </tbody>
      </table>
    </Card>
  );
}

interface HeadingProps {
  readonly column: Column;
  readonly order: Order;
  readonly onChoose: () => void;
}

function Heading({ column, order, onChoose }: HeadingProps): ReactNode {
  const { t } = useSpeech();
  const sorted = order.column !== column ? "none" : order.descending ? "descending" : "ascending";
  return (
    <th scope="col" role="columnheader" aria-sort={sorted}>
      <button type="button" onClick={onChoose}>
        {t(TITLES[column])}
        <span aria-hidden="true">{sorted === "none" ? "" : order.descending ? "\u25be" : "\u25b4"}</span>
      </button>
    </th>
  );
}

interface RowProps {
  readonly tour: FiguresOfTour;
  readonly readAt: string;
}

const Row = memo(function Row({ tour, readAt }: RowProps): ReactNode {
  const { t, number, money } = useSpeech();
  const live = useTourAvailability(tour.id);
  const { capacity, sold, held, availableSeats } = seatsOf(tour, readAt, live);
  const share = (seats: number): string => `${capacity === 0 ? 0 : Math.min(100, (100 * seats) / capacity)}%`;
  const meter = { "--sold": share(sold), "--taken": share(sold + held) } as CSSProperties;
  return (
    <tr role="row" data-closed={tour.closed}>
      <th scope="row" role="rowheader">
        {tour.name}
        {tour.closed === true && <span className={styles["closed"]}>{t("admin.closed")}</span>}
        <span className={styles["meter"]} style={meter} aria-hidden="true" />
      </th>
      <Figure title={t("admin.sold")}>{number(sold)}</Figure>
      <Figure title={t("admin.held")}>{number(held)}</Figure>
      <Figure title={t("admin.left")}>{number(availableSeats)}</Figure>
      <Figure title={t("admin.bookingsOfTour")}>{number(tour.bookings)}</Figure>
      <Figure title={t("admin.revenue")}>{money(tour.revenue, tour.currency)}</Figure>
    </tr>
  );
});

/** `title` is shown beside the figure where there is no room for a row of headings. */
function Figure({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <td role="cell">
      <span className={styles["title"]} aria-hidden="true">
        {title}
      </span>
      {children}
    </td>
  );
}
