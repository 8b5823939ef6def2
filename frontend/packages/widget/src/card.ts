/** What a tag looks like: its elements, made once, and changed where what is shown changes. */
import { make, part, set, write } from "./dom";
import { drawing, shape } from "./shapes";
import type { Row, Seats, Shown } from "./shown";
import type { WidgetSpeech } from "./speech";
import style from "./widget.css?inline";

export interface Look {
  readonly speech: WidgetSpeech;
  /** Where the tour's own page is. */
  readonly href: string | null;
  /** Lines to keep for departures, so that nothing moves when they come. */
  readonly lines: number;
  /** A line to keep for the moment of the one departure. */
  readonly single: boolean;
  /** What the site wrote into the tag stands in for facts that have not come yet. */
  readonly standIn: boolean;
}

let sheet: CSSStyleSheet | undefined;

/** The style of all tags of the page. Not an element: a strict policy of the site refuses those. */
function styles(): CSSStyleSheet {
  if (sheet === undefined) (sheet = new CSSStyleSheet()).replaceSync(style);
  return sheet;
}

export class Card {
  readonly #name = part("p", "name");
  readonly #when = part("p", "when");
  readonly #figure = part("span", "figure");
  readonly #unit = part("span", "unit");
  readonly #levelMark = drawing();
  readonly #levelWord = make("span", "");
  readonly #level = part("span", "level", this.#levelMark, this.#levelWord);
  readonly #seats = part("p", "seats", this.#figure, " ", this.#unit, " ", this.#level);
  readonly #message = part("p", "message");
  readonly #caption = part("p", "caption");
  readonly #rows = part("ul", "departures");
  readonly #list = make("div", "list", this.#caption, this.#rows);
  readonly #noteText = make("span", "");
  readonly #note = part("p", "note", make("span", "mark"), this.#noteText);
  readonly #link = part("a", "link");
  readonly #standIn = make("div", "stand-in", make("slot", ""));
  readonly #facts = make("div", "facts");
  readonly #box = part("div", "box");
  readonly #voice = make("p", "voice");
  #count: number | null = null;

  constructor(root: ShadowRoot) {
    this.#facts.append(this.#name, this.#when, make("div", "main", this.#seats, this.#message), this.#list);
    const slot = make("slot", "", this.#link);
    slot.name = "link";
    const stage = make("div", "stage", this.#standIn, this.#facts);
    this.#box.append(stage, make("div", "foot", this.#note, slot));
    set(this.#box, { role: "group" });
    set(this.#voice, { role: "status", "aria-atomic": "true" });
    root.adoptedStyleSheets = [styles()];
    root.append(this.#box, this.#voice);
  }

  draw(shown: Shown, { speech, href, lines, single, standIn }: Look): void {
    const { t, language } = speech;
    const { state, note } = shown;
    const seats = "seats" in shown ? shown.seats : null;
    const name = seats?.name ?? ("name" in shown ? shown.name : "");
    const message = state === "unknown" || state === "closed" || state === "unreachable" ? t(`state.${state}`) : "";
    set(this.#box, {
      "data-state": state,
      lang: language,
      "aria-label": name || message || t("state.loading"),
      "aria-busy": state === "loading" ? "true" : null,
    });
    this.#standIn.hidden = !standIn;
    set(this.#facts, { "data-kept": standIn ? "" : null });
    write(this.#name, name || "\u00a0");
    this.#name.hidden = name === "" && message !== "";
    this.#when.hidden = !single;
    write(this.#when, seats?.when ?? "\u00a0");
    write(this.#message, message);
    this.#drawSeats(seats, speech);
    this.#drawList(seats, lines, state === "unknown" || state === "closed", speech);
    write(this.#noteText, note);
    set(this.#note, { "data-mood": note === "" ? null : shown.mood });
    this.#link.hidden = href === null;
    set(this.#link, { href, "aria-label": name === "" ? null : t("link.of", { tour: name }) });
    write(this.#link, t("link"));
  }

  /** Tell screen readers. */
  say(sentence: string): void {
    write(this.#voice, sentence);
  }

  #drawSeats(seats: Seats | null, { t, number }: WidgetSpeech): void {
    const level = seats?.level ?? null;
    set(this.#seats, { "data-level": level });
    // Without facts the words keep their room, and say nothing.
    set(this.#seats, { "aria-hidden": seats === null ? "true" : null });
    write(this.#figure, seats === null ? "00" : number(seats.count));
    write(this.#unit, t("seats.unit", { count: seats?.count ?? 2 }));
    write(this.#levelWord, t(`level.${level ?? "many"}`));
    shape(this.#levelMark, level ?? "many");
    if (seats !== null && this.#count !== null && seats.count !== this.#count) this.#flash();
    this.#count = seats?.count ?? null;
  }

  #flash(): void {
    if (globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches !== false) return;
    this.#figure.animate([{ background: "var(--seatcast-flash, var(--_flash))" }, {}], { duration: 1_600, easing: "ease-out" });
  }

  #drawList(seats: Seats | null, lines: number, gone: boolean, { t }: WidgetSpeech): void {
    this.#list.hidden = lines === 0 || gone;
    if (this.#list.hidden) return;
    const title = seats?.rows.length === 0 ? t("departures.none") : t("departures.next");
    const zone = seats?.zone ?? null;
    write(this.#caption, zone === null ? title : `${title} (${zone})`);
    this.#rows.style.setProperty("--_lines", String(lines));
    const rows = seats?.rows ?? [];
    while (this.#rows.children.length > rows.length) this.#rows.lastElementChild?.remove();
    rows.forEach((row, at) => this.#drawRow(at, row));
  }

  #drawRow(at: number, { startsAt, when, seats, level }: Row): void {
    let line = this.#rows.children[at];
    if (line === undefined) {
      line = part("li", "departure", drawing(), part("time", "departure-time"), part("span", "departure-seats"));
      this.#rows.append(line);
    }
    const [mark, time, left] = line.children;
    set(line, { "data-level": level });
    shape(mark as SVGSVGElement, level);
    set(time as Element, { datetime: startsAt });
    write(time as Element, when);
    write(left as Element, seats);
  }
}
