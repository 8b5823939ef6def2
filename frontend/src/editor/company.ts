/**
 * Who else is in a document, from what its clients say of themselves.
 *
 * That is whatever another client sent: nothing of it is used but a name, as text, and where the cursor is. The colour is
 * ours, made of the name.
 */
import type { WebsocketProvider } from "y-websocket";
import { colourOf } from "./colour";

export type Awareness = WebsocketProvider["awareness"];

export interface Person {
  readonly name: string;
  readonly colour: string;
  /** The one who sits here. */
  readonly self: boolean;
}

const LONGEST_NAME = 40;

/** The name in one client's state; null where it has none. */
function nameOf(state: Readonly<Record<string, unknown>>): string | null {
  const user = state["user"] as Readonly<Record<string, unknown>> | null | undefined;
  const name = user?.["name"];
  return typeof name === "string" && name !== "" ? name.slice(0, LONGEST_NAME) : null;
}

/** Everybody with a name, once each however many tabs they have open: oneself first, then by name. */
export function peopleIn(awareness: Awareness): readonly Person[] {
  const names = new Set<string>();
  for (const [client, state] of awareness.getStates()) {
    const name = nameOf(state);
    if (name !== null && client !== awareness.clientID) names.add(name);
  }
  const own = nameOf(awareness.getLocalState() ?? {});
  if (own !== null) names.delete(own);
  const others = [...names].sort((a, b) => a.localeCompare(b)).map((name) => ({ name, colour: colourOf(name), self: false }));
  return own === null ? others : [{ name: own, colour: colourOf(own), self: true }, ...others];
}

/** What y-codemirror.next reads and writes of an awareness. */
export type Cursors = Pick<Awareness, "doc" | "on" | "off" | "getStates" | "getLocalState" | "setLocalStateField">;

/** The cursors of others as they may be drawn: y-codemirror.next writes names and colours of states into the page. */
export function cursorsIn(awareness: Awareness): Cursors {
  return {
    doc: awareness.doc,
    on: (name, heard) => {
      awareness.on(name, heard);
      return heard;
    },
    off: (name, heard) => awareness.off(name, heard),
    getLocalState: () => awareness.getLocalState(),
    setLocalStateField: (field, value) => awareness.setLocalStateField(field, value),
    getStates: () => new Map([...awareness.getStates()].map(([client, state]) => [client, drawn(state)])),
  };
}

function drawn(state: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const name = nameOf(state);
  if (name === null) return {};
  const color = colourOf(name);
  return { cursor: state["cursor"], user: { name, color, colorLight: `${color}33` } };
}
