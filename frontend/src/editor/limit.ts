/** How long a text may be: the service stores a field of 32 KiB in UTF-8 (`MAX_FIELD_BYTES` in domain.py). */
export const MAX_BYTES = 32 * 1024;
/** From here on it is said how much is left. */
const NEAR = 0.8 * MAX_BYTES;

const encoder = new TextEncoder();

export function fits(text: string): boolean {
  // No UTF-16 unit takes more than three bytes.
  return text.length * 3 <= MAX_BYTES || encoder.encode(text).length <= MAX_BYTES;
}

/** How many plain letters there is room for, once there is not much; negative where there are too many; else null. */
export function roomLeft(text: string): number | null {
  const bytes = encoder.encode(text).length;
  return bytes < NEAR ? null : MAX_BYTES - bytes;
}
