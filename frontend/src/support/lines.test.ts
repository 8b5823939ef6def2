import type { ChatMessage, ConversationUpdate } from "@seatcast/client";
import { expect, it } from "vitest";
import { linesOf, sideOf } from "./lines";

const said = (n: number, from: string, timestamp = `2026-06-01T10:0${n}:00.000Z`): ChatMessage => ({
  type: "CHAT_MESSAGE",
  from,
  to: from === "ann" ? "support" : "ann",
  message: `text ${n}`,
  timestamp,
  messageId: `m${n}`,
  conversationId: "ann",
});
const stands = (more: Partial<ConversationUpdate>): ConversationUpdate => ({
  type: "CONVERSATION_UPDATE",
  conversationId: "ann",
  version: 1,
  unread: { traveller: 0, support: 0 },
  delivered: {},
  read: {},
  timestamp: "",
  ...more,
});
const receipts = (messages: readonly ChatMessage[], state: ConversationUpdate | null, userId: string): unknown =>
  linesOf(messages, state, userId).map(({ receipt }) => receipt);

it("a turn begins where somebody else speaks, after a while, and with each day", () => {
  const lines = linesOf(
    [
      said(0, "ann"),
      said(1, "ann"),
      said(2, "sam"),
      said(3, "sam", "2026-06-01T10:06:59.000Z"),
      said(4, "sam", "2026-06-01T10:11:59.000Z"),
      said(5, "sam", "2026-06-03T10:12:00.000Z"),
    ],
    null,
    "ann",
  );
  expect(lines.map(({ newTurn }) => newTurn)).toEqual([true, false, true, false, true, true]);
  expect(lines.map(({ newDay }) => newDay)).toEqual([true, false, false, false, false, true]);
});

it("how far one's own messages have come is said once for each degree, at the last that has come so far", () => {
  const messages = [said(0, "ann"), said(1, "ann"), said(2, "sam"), said(3, "ann"), said(4, "ann"), said(5, "ann")];
  const state = stands({ read: { support: "m2" }, delivered: { support: "m4" } });
  expect(receipts(messages, state, "ann")).toEqual([null, "read", null, null, "delivered", "sent"]);
});

it("what is read is not said to be sent or delivered as well, nor anything of what others said", () => {
  const messages = [said(0, "ann"), said(1, "sam")];
  const state = stands({ read: { support: "m0" }, delivered: { support: "m1", traveller: "m1" } });
  expect(receipts(messages, state, "ann")).toEqual(["read", null]);
  expect(receipts(messages, state, "sam")).toEqual([null, "delivered"]);
  expect(receipts(messages, null, "ann")).toEqual(["sent", null]);
});

it("a mark of a message that is not loaded says nothing", () => {
  expect(receipts([said(3, "ann")], stands({ read: { support: "m1" } }), "ann")).toEqual(["sent"]);
});

it("an agent is the traveller in their own conversation", () => {
  expect([sideOf("sam", "ann"), sideOf("sam", "sam")]).toEqual(["support", "traveller"]);
});
