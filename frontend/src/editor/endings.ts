/** What the close code of a document's connection asks for (docs/documents.md has the table). */
export type Ending = "comeBack" | "signedOut" | "forbidden" | "tooLarge" | "refused";

export function endingOf(code: number): Ending {
  if (code === 4401) return "signedOut";
  if (code === 4403) return "forbidden";
  // 1009: one message was larger than any may be. The same would be sent again, for ever.
  if (code === 4413 || code === 1009) return "tooLarge";
  // Text where bytes were expected, and what is no message: it would not be one the next time either.
  if (code === 1003 || code === 1007 || (code >= 4400 && code < 4500)) return "refused";
  return "comeBack";
}
