/** From messages to lines on the screen: what begins a day, what begins a speaker's turn, and what the other side has of one's own. */
import type { ChatMessage, ConversationUpdate } from "@seatcast/client";

export type Side = "traveller" | "support";
export type Receipt = "sent" | "delivered" | "read";

export interface Line {
  readonly message: ChatMessage;
  /** The first of its day. */
  readonly newDay: boolean;
  /** Somebody begins to speak, or goes on after a while. */
  readonly newTurn: boolean;
  /** How far one's own messages have come, at the last one that has come so far; null at all others. */
  readonly receipt: Receipt | null;
}

/** After a silence of so long the name and the time are said again. */
export const TURN_MS = 5 * 60_000;

export function linesOf(messages: readonly ChatMessage[], state: ConversationUpdate | null, userId: string): Line[] {
  const receipts = receiptsOf(messages, state, userId);
  return messages.map((message, at) => {
    const before = messages[at - 1];
    const newDay = before === undefined || dayOf(before) !== dayOf(message);
    const silence = before === undefined ? 0 : Date.parse(message.timestamp) - Date.parse(before.timestamp);
    const newTurn = newDay || before?.from !== message.from || silence >= TURN_MS;
    return { message, newDay, newTurn, receipt: receipts.get(message) ?? null };
  });
}

/** The end of a conversation that somebody is at; agents are travellers in their own. */
export function sideOf(userId: string, conversationId: string): Side {
  return userId === conversationId ? "traveller" : "support";
}

function dayOf({ timestamp }: ChatMessage): string {
  return new Date(timestamp).toDateString();
}

/** Each degree at the last of one's own messages that has reached it, unless a later one has reached more. */
function receiptsOf(
  messages: readonly ChatMessage[],
  state: ConversationUpdate | null,
  userId: string,
): ReadonlyMap<ChatMessage, Receipt> {
  const receipts = new Map<ChatMessage, Receipt>();
  if (messages.length === 0) return receipts;
  const other: Side = userId === messages[0]?.conversationId ? "support" : "traveller";
  const upTo = (mark: "read" | "delivered"): number =>
    messages.findLastIndex(({ messageId }) => messageId !== undefined && messageId === state?.[mark][other]);
  const ends: readonly (readonly [Receipt, number])[] = [
    ["sent", messages.length - 1],
    ["delivered", upTo("delivered")],
    ["read", upTo("read")],
  ];
  for (const [receipt, end] of ends) {
    // The furthest degree is written last, and stays.
    const last = messages.findLast(({ from }, at) => at <= end && from === userId);
    if (last !== undefined) receipts.set(last, receipt);
  }
  return receipts;
}
