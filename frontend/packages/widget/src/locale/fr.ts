/** French. The rules are those of the page's catalogue: plurals by `{count}`, no-break spaces as escapes. */
import type { Catalogue } from "../../../../src/locale/fr";

export const fr = {
  "seats.unit": { one: "place restante", other: "places restantes" },
  "seats.count": { one: "{count}\u00a0place", other: "{count}\u00a0places" },
  "level.many": "Disponible",
  "level.few": "Peu de places",
  "level.last": "Dernières places",
  "level.none": "Complet",

  "departures.next": "Prochains départs",
  "departures.none": "Aucun départ en vente",

  "link": "Voir la visite",
  "link.of": "Voir la visite\u00a0: {tour}",

  "state.loading": "Chargement des places\u2026",
  "state.unknown": "Visite inconnue",
  "state.closed": "N\u2019est plus en vente",
  "state.unreachable": "Places en direct indisponibles pour le moment",

  "status.live": "En direct",
  "status.updated": "En direct \u00b7 mis à jour à {time}",
  "status.connecting": "Connexion\u2026",
  "status.reconnecting": "Reconnexion\u2026",
  "status.stale": "Source interrompue",
  "status.offline": "Hors ligne",
  "status.refused": "Connexion refusée",
  "status.old": "{status} \u00b7 places d\u2019{age}",

  "announce.last": {
    one: "{tour}\u00a0: il ne reste qu\u2019une place",
    other: "{tour}\u00a0: il ne reste que {count}\u00a0places",
  },
  "announce.none": "{tour}\u00a0: complet",
  "announce.again": "{tour}\u00a0: de nouveau des places",
} as const satisfies Catalogue;

export type Key = keyof typeof fr;
