/** English: every key of the French catalogue, and with forms where French has them. */
import type { Forms } from "../../../../src/locale/fr";
import type { fr, Key } from "./fr";

export const en: { readonly [K in Key]: (typeof fr)[K] extends string ? string : Forms } = {
  "seats.unit": { one: "seat left", other: "seats left" },
  "seats.count": { one: "{count}\u00a0seat", other: "{count}\u00a0seats" },
  "level.many": "Available",
  "level.few": "Few seats",
  "level.last": "Last seats",
  "level.none": "Sold out",

  "departures.next": "Next departures",
  "departures.none": "No departure on sale",

  "link": "See the tour",
  "link.of": "See the tour: {tour}",

  "state.loading": "Loading seats\u2026",
  "state.unknown": "Unknown tour",
  "state.closed": "No longer on sale",
  "state.unreachable": "Live seats are unavailable at the moment",

  "status.live": "Live",
  "status.updated": "Live \u00b7 updated at {time}",
  "status.connecting": "Connecting\u2026",
  "status.reconnecting": "Reconnecting\u2026",
  "status.stale": "Source interrupted",
  "status.offline": "Offline",
  "status.refused": "Connection refused",
  "status.old": "{status} \u00b7 seats as of {age}",

  "announce.last": {
    one: "{tour}: only one seat is left",
    other: "{tour}: only {count}\u00a0seats are left",
  },
  "announce.none": "{tour}: sold out",
  "announce.again": "{tour}: seats again",
};
