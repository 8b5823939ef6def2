/**
 * What the person is told of their bookings, and which of it they have read or put away: in every tab of this browser,
 * and after a reload.
 */
import type { Notice } from "@seatcast/client";
import { useClient, useNotifications } from "@seatcast/client/react";
import { useCallback, useMemo, useSyncExternalStore } from "react";

export interface Told {
  readonly id: string;
  readonly notice: Notice;
  /** Not read yet. */
  readonly fresh: boolean;
}

export interface Notifications {
  /** The newest first. */
  readonly told: readonly Told[];
  readonly unread: number;
  /** All of them are read. */
  readonly markRead: () => void;
  readonly dismiss: (id: string) => void;
}

type Mark = "read" | "gone";
type Marks = Readonly<Record<string, Mark>>;

/** More than are ever shown: a mark outlives what it is for. */
const MARKS_LIMIT = 300;

const NONE: readonly Notice[] = [];

export function useToldNotifications(userId: string): Notifications {
  const client = useClient();
  const { notices } = useNotifications();
  // Until the gateway knows who is here now, they are those of whoever was before.
  const own = client.userId() === userId ? notices : NONE;
  const { marks, mark } = useMarks(userId);
  const told = useMemo(
    () =>
      own
        .map((notice) => ({ id: idOf(notice), notice }))
        .filter(({ id }) => marks[id] !== "gone")
        .map((one) => ({ ...one, fresh: marks[one.id] === undefined })),
    [own, marks],
  );
  const fresh = useMemo(() => told.filter((one) => one.fresh).map(({ id }) => id), [told]);
  const markRead = useCallback(() => mark(fresh, "read"), [mark, fresh]);
  const dismiss = useCallback((id: string) => mark([id], "gone"), [mark]);
  return { told, unread: fresh.length, markRead, dismiss };
}

/** Publishers that are not ours give no ids. */
export function idOf({ messageId, type, bookingId }: Notice): string {
  return messageId ?? `${type} ${bookingId}`;
}

// Marks

function useMarks(userId: string): { readonly marks: Marks; readonly mark: (ids: readonly string[], as: Mark) => void } {
  const key = `seatcast.notifications.${userId}`;
  const text = useSyncExternalStore(watch, () => shelf.get(key));
  const marks = useMemo(() => parse(text), [text]);
  const mark = useCallback(
    (ids: readonly string[], as: Mark) => {
      if (ids.length === 0) return;
      const all = { ...parse(shelf.get(key)), ...Object.fromEntries(ids.map((id) => [id, as])) };
      shelf.set(key, JSON.stringify(Object.fromEntries(Object.entries(all).slice(-MARKS_LIMIT))));
    },
    [key],
  );
  return { marks, mark };
}

function parse(text: string): Marks {
  try {
    const marks: unknown = JSON.parse(text);
    return typeof marks === "object" && marks !== null ? (marks as Marks) : {};
  } catch {
    return {};
  }
}

const wakes = new Set<() => void>();

/** Called after each change, also of another tab. */
function watch(wake: () => void): () => void {
  wakes.add(wake);
  window.addEventListener("storage", wake);
  return () => {
    wakes.delete(wake);
    window.removeEventListener("storage", wake);
  };
}

/** The browser's storage; where it is forbidden or full, this page's memory. */
const shelf = {
  memory: new Map<string, string>(),
  get(key: string): string {
    try {
      return this.memory.get(key) ?? localStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  },
  set(key: string, text: string): void {
    try {
      localStorage.setItem(key, text);
    } catch {
      this.memory.set(key, text);
    }
    for (const wake of [...wakes]) wake();
  },
};
