/** Keys that nobody else has made. */

/** 128 random bits. (`crypto.randomUUID` is missing on pages served over plain HTTP to another machine.) */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
