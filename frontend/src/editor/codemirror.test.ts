// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import { createRelativePositionFromTypeIndex, Doc, type Text, UndoManager } from "yjs";
import { EditorView } from "@codemirror/view";
import { MAX_BYTES } from "./limit";
import type { SharedText } from "./sharedtext";
import { TextBoxView } from "./codemirror";

let text: Text;
let undo: UndoManager;
let awareness: Awareness;
let box: TextBoxView;
let view: EditorView;
const onText = vi.fn<(text: string) => void>();
const onFull = vi.fn();

beforeEach(() => {
  onText.mockReset();
  onFull.mockReset();
  const doc = new Doc();
  text = doc.getText("description");
  text.insert(0, "Paris\r\nby day");
  undo = new UndoManager(text, { trackedOrigins: new Set() });
  awareness = new Awareness(doc);
  const shared = { text, undo, awareness } as unknown as SharedText;
  box = new TextBoxView({ parent: document.body, shared, placeholder: "…", labelledBy: "name", describedBy: "hint", onText, onFull });
  view = EditorView.findFromDOM(document.body.querySelector(".cm-editor") as HTMLElement) as EditorView;
});
afterEach(() => {
  box.end();
  awareness.destroy();
});

const type = (from: number, insert: string, to = from): void => view.dispatch({ changes: { from, to, insert }, userEvent: "input" });

it("is one text with the shared one, line ends of any kind included", () => {
  type(view.state.doc.length, "!");
  expect(text.toString()).toBe("Paris\r\nby day!");
  text.insert(7, "only ");
  expect(view.state.doc.toString()).toBe("Paris\r\nonly by day!");
  expect(onText).toHaveBeenLastCalledWith("Paris\r\nonly by day!");
});

it("undoes what was written here alone", () => {
  type(0, "Our ");
  text.insert(text.length, " and night");
  undo.undo();
  expect(view.state.doc.toString()).toBe("Paris\r\nby day and night");
  expect(undo.canUndo()).toBe(false);
  undo.redo();
  expect(text.toString()).toBe("Our Paris\r\nby day and night");
});

it("takes no more than the service does, says so, and lets a text that is too long be shortened", () => {
  type(0, "é".repeat(MAX_BYTES / 2));
  expect(onFull).toHaveBeenCalledTimes(1);
  expect(text.toString()).toBe("Paris\r\nby day");
  text.insert(0, "x".repeat(MAX_BYTES + 10));
  expect(view.state.doc.length).toBe(text.length);
  type(0, "y");
  expect(onFull).toHaveBeenCalledTimes(2);
  type(0, "", 5);
  expect(text.length).toBe(MAX_BYTES + 10 + 13 - 5);
});

it("is a text box with a name, in which Tab is not kept", () => {
  const content = view.contentDOM;
  expect(content.getAttribute("role")).toBe("textbox");
  expect(content.getAttribute("aria-multiline")).toBe("true");
  expect(content.getAttribute("aria-labelledby")).toBe("name");
  const tab = new KeyboardEvent("keydown", { key: "Tab", cancelable: true, bubbles: true });
  content.dispatchEvent(tab);
  expect(tab.defaultPrevented).toBe(false);
});

it("who may not write sees what others write", () => {
  box.writable = false;
  expect(view.state.readOnly).toBe(true);
  text.insert(0, "Our ");
  expect(view.state.doc.toString()).toContain("Our Paris");
});

it("draws the cursors of others with their names, which are not read out as words of the text", () => {
  const other = new Awareness(new Doc());
  const anchor = createRelativePositionFromTypeIndex(text, 5);
  other.setLocalState({ user: { name: "Ana" }, cursor: { anchor, head: anchor } });
  applyAwarenessUpdate(awareness, encodeAwarenessUpdate(other, [other.clientID]), "elsewhere");
  const caret = view.contentDOM.querySelector(".cm-ySelectionCaret");
  expect(caret?.textContent).toContain("Ana");
  expect(caret?.getAttribute("aria-hidden")).toBe("true");
  other.destroy();
});
