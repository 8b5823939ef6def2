/** `@seatcast/client`: everything but React. */
export { Backoff } from "./backoff.js";
export { createClient, type ClientOptions } from "./browser.js";
export type { Client } from "./client.js";
export { ask, type Command, CommandError } from "./commands.js";
export { type Conversation, conversationOf, type ConversationView, type Outgoing } from "./conversation.js";
export {
  type Conversations,
  conversationsOf,
  type ConversationsView,
  type ConversationSummary,
} from "./conversations.js";
export { type Descriptions, descriptionsOf } from "./descriptions.js";
export { documentOf, type DocumentField, type DocumentView, type SharedDocument } from "./document.js";
export type * from "./frames.js";
export { gatewayOf } from "./gateway.js";
export { type LatestType, latestOf } from "./latest.js";
export { type Notice, type Notices, noticesOf, type NoticesView } from "./notices.js";
export { oneByOne } from "./onebyone.js";
export type { Tap } from "./parts.js";
export { type Answer, HttpError, type ReadTours, type Request } from "./rest.js";
export type { Via } from "./roads.js";
export type { Status } from "./status.js";
export type { DepartureView, TourView } from "./views.js";
export type { FrameOf, Snapshot } from "./wire.js";
export { isAvailability, isTour } from "./wire.js";
