/** `@seatcast/client/react`: each hook reads one thing and renders again for that thing alone. */
import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { rawOf } from "./browser.js";
import type { Client } from "./client.js";
import { type Conversation, conversationOf, type ConversationView } from "./conversation.js";
import { type Conversations, conversationsOf, type ConversationsView } from "./conversations.js";
import { descriptionsOf } from "./descriptions.js";
import { documentOf, type DocumentView, type SharedDocument } from "./document.js";
import type { ServerFrame } from "./frames.js";
import { type LatestType, latestOf } from "./latest.js";
import { type Notices, noticesOf, type NoticesView } from "./notices.js";
import type { Inbox, RawState } from "./raw.js";
import type { Status } from "./status.js";
import type { DepartureView, TourView } from "./views.js";
import type { FrameOf } from "./wire.js";

const ClientContext = createContext<Client | null>(null);

const NO_TOURS: readonly string[] = [];
const IDLE: Status = { kind: "idle" };
const nothing = (): null => null;

/** Gives everything inside it one client, and so one connection. */
export function SeatcastProvider(props: { readonly client: Client; readonly children?: ReactNode }): ReactNode {
  const { client, children } = props;
  // Before the client connects: what comes with the first frames is not to be missed.
  latestOf(client);
  noticesOf(client);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the page. Throws outside of a `SeatcastProvider`. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error("no SeatcastProvider around this component");
  return client;
}

/** Ids of the open tours, by name. Renders again when tours come, go or change their names. */
export function useTours(): readonly string[] {
  const client = useClient();
  return useSyncExternalStore(client.watchTours, client.tours, () => NO_TOURS);
}

/** Is the list of tours complete, still being read, or out of reach? */
export function useListState(): "loading" | "complete" | "failing" {
  const client = useClient();
  const watch = useCallback(
    (wake: () => void) => {
      const unwatch = [client.watchTours(wake), client.watchStatus(wake)];
      return () => unwatch.forEach((stop) => stop());
    },
    [client],
  );
  return useSyncExternalStore(watch, client.listState, () => "loading");
}

/** One tour and its seats, or null when it is unknown or closed. Renders again when something in it changed. */
export function useTourAvailability(tourId: string): TourView | null {
  const client = useClient();
  const watch = useCallback((wake: () => void) => client.watchTour(tourId, wake), [client, tourId]);
  return useSyncExternalStore(watch, () => client.tour(tourId), nothing);
}

/** One departure of a tour, or null. Renders again when that departure changed. */
export function useDepartureAvailability(tourId: string, departureId: string): DepartureView | null {
  const client = useClient();
  const watch = useCallback((wake: () => void) => client.watchTour(tourId, wake), [client, tourId]);
  return useSyncExternalStore(watch, () => client.departure(tourId, departureId), nothing);
}

/** The connection: how it is, by which road, since when not. Heartbeats and facts do not touch it. */
export function useConnectionStatus(): Status {
  const client = useClient();
  return useSyncExternalStore(client.watchStatus, client.status, () => IDLE);
}

/** Follow a channel for as long as the component is there. */
export function useChannel(channel: string): void {
  const client = useClient();
  useEffect(() => client.follow(channel), [client, channel]);
}

/** The newest frame of a type of which only the newest counts; of one conversation, say, by `key`. */
export function useLatest<Type extends LatestType>(type: Type, key = ""): FrameOf<Type> | null {
  const client = useClient();
  const latest = latestOf(client);
  const watch = useCallback((wake: () => void) => latest.watch(type, key, wake), [latest, type, key]);
  return useSyncExternalStore(watch, () => latest.get(type, key), nothing);
}

/** The live figures, for who may see them (role `admin`); null until there are some. */
export function useMetrics(): FrameOf<"METRICS_UPDATE"> | null {
  useChannel("metrics");
  return useLatest("METRICS_UPDATE");
}

/** Call `handler` with every message of a type: once each, in order, also those that come between two frames. */
export function useMessages<Type extends ServerFrame["type"]>(
  type: Type,
  handler: (frame: FrameOf<Type>) => void,
): void {
  const client = useClient();
  const newest = useRef(handler);
  useEffect(() => {
    newest.current = handler;
  });
  useEffect(() => client.on(type, (frame: FrameOf<Type>) => newest.current(frame)), [client, type]);
}

/** What the person was told of their bookings, lately and from now on. */
export function useNotifications(): NoticesView & Pick<Notices, "markRead" | "dismiss"> {
  const notices = noticesOf(useClient());
  const view = useSyncExternalStore(notices.watch, notices.view, notices.view);
  const { markRead, dismiss } = notices;
  return { ...view, markRead, dismiss };
}

type Talking = "say" | "again" | "drop" | "type" | "mark" | "take" | "release" | "earlier" | "reload";

/** The signed-in traveller's conversation with the support team; or, for the team, that of a traveller. */
export function useConversation(travellerId: string | null = null): ConversationView & Pick<Conversation, Talking> {
  const conversation = conversationOf(useClient(), travellerId);
  const view = useSyncExternalStore(conversation.watch, conversation.view, conversation.view);
  const { say, again, drop, type, mark, take, release, earlier, reload } = conversation;
  return { ...view, say, again, drop, type, mark, take, release, earlier, reload };
}

/** How conversations stand: for the support team all, the one in which something was said last first; a traveller's own. */
export function useConversations(): ConversationsView & Pick<Conversations, "earlier" | "refresh"> {
  const conversations = conversationsOf(useClient());
  const view = useSyncExternalStore(conversations.watch, conversations.view, conversations.view);
  const { earlier, refresh } = conversations;
  return { ...view, earlier, refresh };
}

/** The public description of a tour as it is being written, "" where there is none; null until it is known. */
export function useTourDescription(tourId: string): string | null {
  const descriptions = descriptionsOf(useClient());
  const watch = useCallback((wake: () => void) => descriptions.watch(tourId, wake), [descriptions, tourId]);
  return useSyncExternalStore(watch, () => descriptions.get(tourId), nothing);
}

/** The text fields of a shared document, and how to set one (role `staff`). */
export function useDocument(documentId: string): DocumentView & Pick<SharedDocument, "edit"> {
  const document = documentOf(useClient(), documentId);
  const view = useSyncExternalStore(document.watch, document.view, document.view);
  return { ...view, edit: document.edit };
}

// Raw

const UNREAD: RawState = { data: null, connected: false };

function rawReader(url: string): { readonly state: () => RawState; readonly watch: (wake: () => void) => () => void } {
  let inbox: Inbox | null = null;
  return {
    state: () => inbox?.state ?? UNREAD,
    watch(wake) {
      const reading = rawOf(url).read(wake);
      inbox = reading.inbox;
      return reading.stop;
    },
  };
}

/**
 * The messages of a WebSocket, one render each, and whether it is open. All who name an address share its connection.
 *
 * At most one render a frame: when more comes in than that, only the newest seats of each tour are shown, and other
 * messages take their turns.
 */
export function useWebSocket(url: string): RawState {
  const reader = useMemo(() => rawReader(url), [url]);
  return useSyncExternalStore(reader.watch, reader.state, () => UNREAD);
}
