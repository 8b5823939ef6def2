/** Who is connected where: the connections and users of each gateway. */
import { Card } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import { connectionsOf } from "./figures";
import styles from "./Gateways.module.css";
import { type Shop, useFigures } from "./shop";

export function Gateways({ shop }: { readonly shop: Shop }): ReactNode {
  const { t, number } = useSpeech();
  const figures = useFigures(shop);
  const gateways = figures?.gateways ?? [];
  const most = Math.max(1, ...gateways.map(({ connections }) => connections));
  if (figures === null || gateways.length === 0) {
    return (
      <Card withBorder padding="md">
        <p className="muted">{t("admin.gateways.none")}</p>
      </Card>
    );
  }
  return (
    <Card withBorder padding="md" className={styles["box"]} role="region" aria-label={t("admin.gateways")} tabIndex={0}>
      <table className={styles["gateways"]}>
        <thead>
          <tr>
            <th scope="col">{t("admin.gateway")}</th>
            <th scope="col">{t("admin.connections")}</th>
            <th scope="col">{t("admin.usersOfGateway")}</th>
          </tr>
        </thead>
        <tbody>
          {gateways.map(({ id, connections, users }) => (
            <tr key={id}>
              <th scope="row">
                {id}
                <span className={styles["bar"]} aria-hidden="true">
                  <span style={{ width: `${(100 * connections) / most}%` }} />
                </span>
              </th>
              <td>{number(connections)}</td>
              <td>{number(users)}</td>
            </tr>
          ))}
        </tbody>
        {gateways.length > 1 && (
          <tfoot>
            <tr>
              <th scope="row">{t("admin.total")}</th>
              <td>{number(connectionsOf(figures) ?? 0)}</td>
              <td />
            </tr>
          </tfoot>
        )}
      </table>
    </Card>
  );
}
