/**
 * The shared texts that are open in this tab, each once.
 *
 * A text outlives the page that shows it until all that was written is stored: whoever types a last word and goes to
 * another page loses nothing, nor does who comes back to a text that the service refused.
 */
import type { SharedText } from "./sharedtext";

/** How long a text that nobody shows stays open: React's StrictMode shows everything twice. */
export const LINGER_MS = 500;

interface Open {
  readonly text: SharedText;
  shown: number;
  linger: ReturnType<typeof setTimeout> | undefined;
}

export class OpenTexts {
  readonly #open = new Map<string, Open>();

  get(key: string): SharedText | null {
    return this.#open.get(key)?.text ?? null;
  }

  /** Show a text, made where it is not open yet; returns how to stop showing it. */
  show(key: string, make: () => SharedText): () => void {
    const open = this.#open.get(key) ?? this.#add(key, make());
    clearTimeout(open.linger);
    open.shown += 1;
    return () => {
      open.shown -= 1;
      this.#look(key, open);
    };
  }

  /** Give up what is not stored of a text. */
  discard(key: string): void {
    const open = this.#open.get(key);
    if (open !== undefined) this.#close(key, open);
  }

  /** Whether something in any of them is not stored. */
  get unsaved(): boolean {
    return [...this.#open.values()].some(({ text }) => text.state().unsaved);
  }

  #add(key: string, text: SharedText): Open {
    const open: Open = { text, shown: 0, linger: undefined };
    this.#open.set(key, open);
    text.watch(() => this.#look(key, open));
    if (this.#open.size === 1) window.addEventListener("beforeunload", this.#warn);
    return open;
  }

  #look(key: string, open: Open): void {
    clearTimeout(open.linger);
    if (this.#open.get(key) !== open || open.shown > 0 || open.text.state().unsaved) return;
    open.linger = setTimeout(() => this.#close(key, open), LINGER_MS);
  }

  #close(key: string, { text, linger }: Open): void {
    clearTimeout(linger);
    this.#open.delete(key);
    if (this.#open.size === 0) window.removeEventListener("beforeunload", this.#warn);
    text.end();
  }

  /** The browser asks the person before it closes the tab. */
  readonly #warn = (event: BeforeUnloadEvent): void => {
    if (this.unsaved) event.preventDefault();
  };
}

/** Those of this tab. */
export const openTexts = new OpenTexts();
