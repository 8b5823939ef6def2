/** The text box: CodeMirror over a shared text, with the cursors of others, as plain as a `<textarea>`. */
import { standardKeymap } from "@codemirror/commands";
import { Compartment, EditorState, type Extension, StateEffect } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { ySyncAnnotation, yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { cursorsIn } from "./company";
import { fits } from "./limit";
import type { SharedText } from "./sharedtext";

export interface TextBoxOptions {
  readonly parent: HTMLElement;
  readonly shared: SharedText;
  readonly placeholder: string;
  /** Ids of what names the box, and of what else is to be said of it. */
  readonly labelledBy: string;
  readonly describedBy: string;
  /** The text is another one now, whoever changed it. */
  readonly onText: (text: string) => void;
  /** What a person wanted to write would make the text too long, and was not written. */
  readonly onFull: () => void;
}

export class TextBoxView {
  readonly #view: EditorView;
  readonly #writable = new Compartment();

  constructor(options: TextBoxOptions) {
    const { parent, shared, onText, onFull } = options;
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: shared.text.toString(),
        extensions: [
          // Positions are counted as Yjs counts them: a \r is a letter there.
          EditorState.lineSeparator.of("\n"),
          // No key for Tab: it leaves the box, as it leaves any other.
          keymap.of([...yUndoManagerKeymap, ...standardKeymap]),
          EditorView.lineWrapping,
          EditorView.clipboardInputFilter.of(cleaned),
          placeholder(options.placeholder),
          EditorView.contentAttributes.of({
            "aria-labelledby": options.labelledBy,
            "aria-describedby": options.describedBy,
            spellcheck: "true",
            autocapitalize: "sentences",
          }),
          this.#writable.of([]),
          bounded,
          yCollab(shared.text, cursorsIn(shared.awareness), { undoManager: shared.undo }),
          EditorView.updateListener.of((update) => {
            if (update.transactions.some((one) => one.effects.some((effect) => effect.is(full)))) onFull();
            if (update.docChanged) onText(update.state.doc.toString());
            hush(update.view.contentDOM);
          }),
          look,
        ],
      }),
    });
  }

  /** Whether a person may write; others' changes come in any case. */
  set writable(writable: boolean) {
    this.#view.dispatch({ effects: this.#writable.reconfigure(EditorState.readOnly.of(!writable)) });
  }

  end(): void {
    this.#view.destroy();
  }
}

/** The names at the cursors of others are no words of the text: nobody is to have them read out among these. */
function hush(content: HTMLElement): void {
  for (const caret of content.querySelectorAll(".cm-ySelectionCaret")) caret.setAttribute("aria-hidden", "true");
}

/** Pasted text as the service takes it: lines end as they do in all of the text, and no NUL. */
function cleaned(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\0", "");
}

const full = StateEffect.define();

/** A person cannot make the text longer than the service takes. What is stored already is shown, however long. */
const bounded: Extension = EditorState.transactionFilter.of((change) => {
  if (!change.docChanged || change.annotation(ySyncAnnotation) !== undefined) return change;
  if (change.newDoc.length <= change.startState.doc.length || fits(change.newDoc.toString())) return change;
  return { effects: full.of(null) };
});

const look: Extension = EditorView.theme({
  "&": { fontSize: "1rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "1.9", minHeight: "16rem", maxHeight: "50vh" },
  ".cm-content": { caretColor: "currentcolor", padding: "18px 0 12px" },
  ".cm-line": { padding: "0 14px" },
  ".cm-placeholder": { color: "var(--ink-soft)" },
  // Names stay: a screen has no pointer to hover with, and a cursor without a name is a riddle.
  ".cm-ySelectionCaret": { borderLeftWidth: "2px", borderRight: "0" },
  ".cm-ySelectionCaretDot": { display: "none" },
  ".cm-ySelectionInfo": {
    opacity: "1",
    top: "-1.25em",
    left: "-2px",
    maxWidth: "10em",
    overflow: "hidden",
    textOverflow: "ellipsis",
    padding: "0 5px",
    borderRadius: "4px 4px 4px 0",
    fontFamily: "inherit",
    fontSize: "0.6875rem",
    fontWeight: "600",
    lineHeight: "1.35",
    pointerEvents: "none",
  },
});
