/** Plain text in pieces: words, and the addresses in them that may be links. */

export interface Piece {
  readonly text: string;
  /** Where it leads; absent for words. */
  readonly href?: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"\u00ab\u00bb\u201c\u201d]+/gi;
/** What ends a sentence ends no address. */
const AFTER = /[.,;:!?'\u2019\u2026*_~]+$/;

/** Only http and https become links, and their text is the address itself: nothing can pass for another site. */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = ended(match[0]);
    if (!URL.canParse(address)) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: address, href: new URL(address).href });
    at = match.index + address.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** The address without the sentence around it: its last dot, and a bracket that was opened before it. */
function ended(address: string): string {
  let end = address.replace(AFTER, "");
  for (const [opening, closing] of ["()", "[]"].map((pair) => [...pair] as [string, string])) {
    while (end.endsWith(closing) && end.split(closing).length > end.split(opening).length) {
      end = end.slice(0, -1).replace(AFTER, "");
    }
  }
  return end;
}
