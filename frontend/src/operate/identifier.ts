/** A tour's id: what addresses and the API call it, for good. */

export const ID_LENGTH = 64;

/** May a new tour have this id? The service has the same rule. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text);
}

/** An id that says the name: "tour_musee_d_orsay". One that is taken gets a number. */
export function proposedId(name: string, taken: ReadonlySet<string>): string {
  const words = name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll("œ", "oe")
    .replaceAll("æ", "ae")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  if (words === "") return "";
  const whole = `tour_${words.replace(/^tour_/, "")}`.slice(0, ID_LENGTH - 4).replace(/_+$/, "");
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? whole : `${whole}_${number}`;
    if (!taken.has(id)) return id;
  }
}
