/** The shop in figures, now. */
import { Card, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { connectionsOf, revenueOf } from "./figures";
import styles from "./LiveFigures.module.css";
import { type Shop, useFigures } from "./shop";

export function LiveFigures({ shop }: { readonly shop: Shop }): ReactNode {
  const figures = useFigures(shop);
  const { t, number, money } = useSpeech();
  if (figures === null) return <Loading />;
  const { activeBookings, activeUsers, bookingsPerMinute, seatsSold, seatsHeld, gateways } = figures;
  const connections = connectionsOf(figures);
  const [main, ...others] = revenueOf(figures).map(({ amount, currency }) =>
    currency === null ? number(amount) : money(amount, currency),
  );
  return (
    <dl className={styles["tiles"]}>
      <Tile label={t("admin.bookings")} value={number(activeBookings)} />
      <Tile label={t("admin.revenue")} value={main ?? null} more={others.join(" \u00b7 ")} />
      <Tile label={t("admin.pace")} value={said(number, bookingsPerMinute)} />
      <Tile
        label={t("admin.soldSeats")}
        value={said(number, seatsSold)}
        more={seatsHeld === undefined ? "" : t("admin.heldToo", { count: seatsHeld })}
      />
      <Tile label={t("admin.users")} value={said(number, activeUsers)} />
      <Tile
        label={t("admin.connections")}
        value={said(number, connections ?? undefined)}
        more={gateways === undefined ? "" : t("admin.gatewaysCount", { count: gateways.length })}
      />
    </dl>
  );
}

function said(number: (value: number) => string, value: number | undefined): string | null {
  return value === undefined ? null : number(value);
}

interface TileProps {
  readonly label: string;
  /** null where nobody tells it. */
  readonly value: string | null;
  readonly more?: string;
}

function Tile({ label, value, more = "" }: TileProps): ReactNode {
  const { t } = useSpeech();
  return (
    <Card withBorder padding="md" className={styles["tile"]}>
      <dt>{label}</dt>
      <dd>{value === null ? <span className={styles["unknown"]}>{t("admin.unknown")}</span> : value}</dd>
      {more !== "" && <dd className={styles["more"]}>{more}</dd>}
    </Card>
  );
}

function Loading(): ReactNode {
  return (
    <div className={styles["tiles"]} aria-hidden="true">
      {[0, 1, 2, 3, 4, 5].map((at) => (
        <Card key={at} withBorder padding="md" className={styles["tile"]}>
          <Skeleton height={14} width="70%" />
          <Skeleton height={30} width="50%" mt={12} />
        </Card>
      ))}
    </div>
  );
}
