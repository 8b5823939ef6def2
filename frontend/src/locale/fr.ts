/**
 * French. `{name}` is replaced; a message with forms takes the one for `{count}` (in French 0 and 1 are singular).
 * No-break spaces are written as escapes, since the eye cannot tell them from others: \u00a0 before a colon and after
 * a figure, \u202f (narrow) before ; ! and ?.
 */
export const fr = {
  "page.title": "Seatcast \u2013 places en direct",
  "page.heading": "Nos visites",
  "page.lead": "Les places restantes, à la seconde près.",
  "page.skip": "Aller au contenu",

  "place.all": "Pages",
  "place.tours": "Visites",
  "place.numbers": "Nombres aléatoires",
  "place.missing": "Cette page n\u2019existe pas.",
  "place.missing.hint": "L\u2019adresse est peut-être incomplète.",
  "place.forbidden": "Cette page demande un autre compte.",
  "place.forbidden.hint": "Elle est réservée au rôle {role}. Connectez-vous avec un compte qui l\u2019a.",
  "place.loading": "Chargement de la page\u2026",
  "place.broken": "Cette page n\u2019a pas pu s\u2019afficher.",
  "place.broken.hint": "Le serveur a peut-être été mis à jour entre-temps. Rechargez la page.",
  "place.reload": "Recharger",
  "place.back": "Retour aux visites",

  "numbers.heading": "Nombres aléatoires",
  "numbers.lead": "Un nombre de 1 à 100, toutes les trois secondes.",
  "numbers.none": "En attente du premier nombre\u2026",
  "numbers.received": "Reçu à",
  "numbers.before": "Les précédents",

  "language.other": "English",
  "language.switch": "Read this page in English",
  "scheme.dark": "Passer au thème sombre",
  "scheme.light": "Passer au thème clair",

  "list.loading": "Chargement des visites\u2026",
  "list.empty": "Aucune visite n\u2019est en vente pour le moment.",
  "list.empty.hint": "Dès qu\u2019une visite ouvre, elle apparaît ici toute seule.",
  "list.failing": "Le service ne répond pas.",
  "list.failing.hint": "Nouvel essai automatique. Vous pouvez aussi réessayer tout de suite.",
  "list.count": { one: "{count}\u00a0visite en vente", other: "{count}\u00a0visites en vente" },

  "search.label": "Recherche dans les visites",
  "search.text": "Rechercher par nom",
  "search.date": "Départ le",
  "search.date.hint": "La date est celle du lieu de la visite",
  "search.sort": "Trier par",
  "search.sort.name": "Nom",
  "search.sort.seats": "Places",
  "search.sort.departure": "Prochain départ",
  "search.sort.changed": "Dernier changement",
  "search.found": { one: "{count}\u00a0visite sur {total}", other: "{count}\u00a0visites sur {total}" },
  "search.all": "Tout afficher",
  "search.none": "Aucune visite ne correspond à votre recherche.",
  "search.none.hint": "Essayez un autre nom ou une autre date.",
  "search.again": "Trier de nouveau",
  "search.again.hint": "Les places ont changé depuis le tri\u202f; les visites sont restées où elles étaient.",

  "seats.unit": { one: "place restante", other: "places restantes" },
  "seats.count": { one: "{count}\u00a0place", other: "{count}\u00a0places" },
  "seats.capacity": "sur {count}",
  "level.many": "Disponible",
  "level.few": "Peu de places",
  "level.last": "Dernières places",
  "level.none": "Complet",

  "tour.price": "{price} par personne",
  "tour.updated": "Mis à jour à {time}",
  "tour.departures": "Départs",
  "tour.moreDepartures": { one: "Afficher {count}\u00a0autre départ", other: "Afficher {count}\u00a0autres départs" },

  "booking.departure.missing": "Choisissez d\u2019abord un départ.",
  "booking.seats": "Nombre de places",
  "booking.seats.invalid": "Indiquez un nombre entier de places, au moins\u00a01.",
  "booking.seats.less": "Une place de moins",
  "booking.seats.more": "Une place de plus",
  "booking.submit": "Réserver",
  "booking.submit.total": "Réserver \u00b7 {total}",
  "booking.sending": "Réservation en cours\u2026",
  "booking.left": { one: "Il ne reste qu\u2019une place.", other: "Il ne reste que {count}\u00a0places." },
  "booking.left.none": "Il ne reste plus de place.",
  "booking.refused": "Réservation refusée",
  "booking.unanswered": "Pas de réponse",
  "booking.unanswered.hint":
    "Nous ne savons pas si la réservation est passée. Réessayez sans crainte\u00a0: vous ne serez pas inscrit deux fois.",
  "booking.retry": "Réessayer",
  "booking.abandon": "Abandonner",

  "receipt.confirmed": "Réservation confirmée",
  "receipt.cancelled": "Réservation annulée",
  "receipt.cancelled.hint": {
    one: "La place est de nouveau en vente.",
    other: "Les {count}\u00a0places sont de nouveau en vente.",
  },
  "receipt.summary": { one: "{count}\u00a0place, {total}", other: "{count}\u00a0places, {total}" },
  "receipt.reference": "Référence\u00a0: {id}",
  "receipt.cancel": "Annuler la réservation",
  "receipt.cancel.sure": "Oui, annuler",
  "receipt.cancel.keep": "Non, garder",
  "receipt.cancel.ask": "Annuler cette réservation\u202f?",
  "receipt.cancel.failed": "L\u2019annulation n\u2019a pas abouti\u00a0: {reason}",
  "receipt.cancel.unanswered": "pas de réponse, réessayez.",
  "receipt.close": "Fermer",
  "receipt.others": "Vos réservations sur des visites qui ne sont plus en vente",

  "status.label": "Connexion",
  "status.connecting": "Connexion\u2026",
  "status.connected": "En direct",
  "status.fallback": "En direct, autre voie",
  "status.via.stream": "Ce réseau bloque les WebSockets\u00a0: les places arrivent par un flux HTTP.",
  "status.via.poll": "Ce réseau bloque les WebSockets\u00a0: les places sont demandées au serveur à intervalles rapprochés.",
  "status.stale": "Source interrompue",
  "status.reconnecting": "Reconnexion\u2026",
  "status.reconnectingIn": "Reconnexion dans {count}\u00a0s",
  "status.offline": "Hors ligne",
  "status.refused": "Connexion refusée",
  "status.retry": "Reconnecter maintenant",
  "status.old": "Les places affichées datent de {time} et peuvent avoir changé.",
  "status.never": "Les places affichées peuvent avoir changé.",
  "status.stale.hint": "Le serveur ne reçoit plus de nouvelles depuis {time}. Les places affichées peuvent avoir changé.",
  "status.refused.hint": "Le serveur a refusé la connexion en direct (code {code}). Les places affichées peuvent avoir changé.",

  "announce.last": {
    one: "{tour}\u00a0: il ne reste qu\u2019une place",
    other: "{tour}\u00a0: il ne reste que {count}\u00a0places",
  },
  "announce.none": "{tour}\u00a0: complet",
  "announce.again": "{tour}\u00a0: de nouveau des places",
} as const satisfies Catalogue;

export interface Forms {
  readonly one: string;
  readonly other: string;
}

export type Catalogue = Readonly<Record<string, string | Forms>>;
export type Key = keyof typeof fr;
