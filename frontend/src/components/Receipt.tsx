/** A booking that was just made on this page: what it is, and the way to cancel it. */
import { Alert, Button } from "@mantine/core";
import type { Booking } from "@seatcast/client";
import { type ReactNode, use } from "react";
import { BookingsContext } from "../bookings";
import { useSpeech } from "../hooks";
import { CancelBooking } from "./CancelBooking";
import { PageLink } from "./PageLink";
import styles from "./Receipt.module.css";
import { StartOf } from "./StartOf";

export function Receipt({ booking }: { readonly booking: Booking }): ReactNode {
  const { t, money } = useSpeech();
  const { update, close } = use(BookingsContext);
  const cancelled = booking.status === "cancelled";
  return (
    <Alert
      className={styles["receipt"]}
      color={cancelled ? "gray" : "sea"}
      role="group"
      title={t(cancelled ? "receipt.cancelled" : "receipt.confirmed")}
      withCloseButton={cancelled}
      closeButtonLabel={t("receipt.close")}
      onClose={() => close(booking.id)}
    >
      <p>{t("receipt.summary", { count: booking.seats, total: money(booking.total, booking.currency) })}</p>
      <p>
        <StartOf booking={booking} />
      </p>
      <p className={styles["reference"]}>{t("receipt.reference", { id: booking.id })}</p>
      <p>
        <PageLink to="/bookings">{t("receipt.all")}</PageLink>
      </p>
      <CancelBooking booking={booking} onCancelled={update}>
        <Button size="xs" variant="subtle" onClick={() => close(booking.id)}>
          {t("receipt.close")}
        </Button>
      </CancelBooking>
    </Alert>
  );
}
