/**
 * A fact is the whole truth about one key at one version. Joining two is taking the newer, so order,
 * repetition and the road they came by (socket, snapshot, answer to a booking) make no difference.
 */
export interface Fact<Value> {
  readonly version: number;
  /** ISO-8601 UTC; the commit that made it so. */
  readonly timestamp: string;
  /** null: closed, nothing is sold under this key until a higher version says otherwise. */
  readonly value: Value | null;
}

/**
 * Is `next` newer than `known`? The version decides; at the same version closed wins over open. The timestamp only
 * makes the choice the same in every order where one version is told twice (once per departure of a tour).
 */
export function isNewer<Value>(next: Fact<Value>, known: Fact<Value> | undefined): boolean {
  if (known === undefined) return true;
  if (next.version !== known.version) return next.version > known.version;
  const closes = next.value === null;
  if (closes !== (known.value === null)) return closes;
  return next.timestamp > known.timestamp;
}
