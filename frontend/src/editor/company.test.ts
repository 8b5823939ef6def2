import { afterEach, expect, it } from "vitest";
import { Awareness } from "y-protocols/awareness";
import { Doc } from "yjs";
import { colourOf } from "./colour";
import { cursorsIn, peopleIn } from "./company";

const awareness = new Awareness(new Doc());
afterEach(() => awareness.states.clear());

it("everybody is named once, oneself first, whatever others say of themselves", () => {
  awareness.setLocalStateField("user", { name: "olga" });
  const states = [{ user: { name: "zoé" } }, { user: { name: "ana" } }, { user: { name: "ana" } }, { user: { name: "olga" } }];
  states.forEach((state, at) => awareness.states.set(at + 1, state));
  [{}, { user: null }, { user: { name: 7 } }, { user: { name: "" } }].forEach((state, at) => awareness.states.set(at + 10, state));
  expect(peopleIn(awareness).map(({ name, self }) => `${name} ${self}`)).toEqual(["olga true", "ana false", "zoé false"]);
});

it("a cursor is drawn with a short name and a colour of ours, never with styles that somebody sent", () => {
  const cursor = { anchor: {}, head: {} };
  awareness.states.set(1, { user: { name: "x".repeat(500), color: "red; position: fixed", colorLight: "url(/)" }, cursor });
  awareness.states.set(2, { cursor });
  const name = "x".repeat(40);
  const color = colourOf(name);
  expect(Object.fromEntries(cursorsIn(awareness).getStates())).toMatchObject({
    1: { user: { name, color, colorLight: `${color}33` }, cursor },
    2: {},
  });
  expect(cursorsIn(awareness).getStates().get(2)?.["cursor"]).toBeUndefined();
});
