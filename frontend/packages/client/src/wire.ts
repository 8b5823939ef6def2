/**
 * What comes from outside becomes a value here, and nowhere else. What we reckon with is checked against the shapes
 * of `frames.ts`: fields that we do not know are no reason to refuse, a wrong or missing one is.
 */
import { type Availability, type ServerFrame, SHAPES, type Tour } from "./frames.js";

/** Close codes that are an instruction (CONTRACT 1, Errors and closing). */
export const UNSUPPORTED_DATA = 1003;
export const SERVICE_RESTART = 1012;
export const TRY_AGAIN_LATER = 1013;
export const UNAUTHENTICATED = 4401;
export const FORBIDDEN = 4403;
export const RATE_LIMITED = 4429;

/** The frame of a type. */
export type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { readonly type: Type }>;

/** All open tours at one instant; `epoch` (header `Seatcast-Epoch`) is null where there are no versions. */
export interface Snapshot {
  readonly epoch: string | null;
  readonly tours: readonly Tour[];
  /** Those that were asked for, where that was not all: it says nothing of others. */
  readonly of?: readonly string[];
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  s: (value) => typeof value === "string",
  t: (value) => typeof value === "string" && value !== "",
  n: Number.isFinite,
  i: isWhole,
  c: (value) => isWhole(value) && value >= 0,
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfKind(value: unknown, kind: string): boolean {
  if (kind.endsWith("[]")) return Array.isArray(value) && value.every((one) => isOfKind(one, kind.slice(0, -2)));
  return KINDS[kind]?.(value) ?? matches(kind, value);
}

function matches(name: string, value: unknown): boolean {
  return (
    isObject(value) &&
    (SHAPES[name] ?? "").split(" ").every((field) => {
      const [key = "", kind = ""] = field.split(":");
      if (!key.endsWith("?")) return isOfKind(value[key], kind);
      const found = value[key.slice(0, -1)];
      return found === undefined || isOfKind(found, kind);
    })
  );
}

export const isAvailability = (value: unknown): value is Availability => matches("AVAILABILITY_UPDATE", value);
export const isTour = (value: unknown): value is Tour => matches("Tour", value);

/**
 * Return the frame in a text message, or null for what is none or cannot be vouched for.
 *
 * Other types, known to this version or not, are handed on as they come: whoever listens to one knows what it is.
 */
export function parseFrame(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value["type"] !== "string") return null;
  if (Object.hasOwn(SHAPES, value["type"]) && !matches(value["type"], value)) return null;
  return value as unknown as ServerFrame;
}
