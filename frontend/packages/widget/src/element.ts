/** `<tour-availability>`: what its attributes ask for, read from the client that all tags of a service share. */
import type { Client, TourView } from "@seatcast/client";
import type { Level } from "../../../src/level";
import { Card } from "./card";
import { type Fate, Inquiry } from "./inquiry";
import { type Known, type Shown, shownOf, type Wanted } from "./shown";
import { type Service, serviceAt } from "./services";
import { languageAt, speechIn } from "./speech";
import { enter, sentence, speaks } from "./voices";

/** Attributes that say what to read; the others say how to show it. */
const READ: readonly string[] = ["tour", "api", "departure"];
const MOST_LINES = 50;
/** How soon to look again: at a connection that is being asked whether it lives, at an age in seconds, and in minutes. */
const PROBED_MS = 250;
const SECONDS_MS = 5_000;
const MINUTES_MS = 30_000;
const MINUTE_MS = 60_000;

export class TourAvailability extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [...READ, "departures", "href", "lang"];

  readonly #card = new Card(this.attachShadow({ mode: "open" }));
  #service: Service | null = null;
  #tourId = "";
  /** The same for all tags that show the same. */
  #what = "";
  #unfollow: (() => void)[] = [];
  #leave: (() => void) | null = null;
  #tour: TourView | null = null;
  #fate: Fate | null = null;
  #inquiry: Inquiry | null = null;
  #level: Level | null = null;
  /** Facts were shown: what the site wrote into the tag is older, and never shown again. */
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #present = false;

  connectedCallback(): void {
    this.#present = true;
    this.#watch();
    // The page comes back as it was left: as the last thing before, and the first thing after, look at the time.
    for (const type of ["pagehide", "pageshow"]) window.addEventListener(type, this.#draw);
    document.addEventListener("visibilitychange", this.#draw);
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#present = false;
    for (const type of ["pagehide", "pageshow"]) window.removeEventListener(type, this.#draw);
    document.removeEventListener("visibilitychange", this.#draw);
    this.#unwatch();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    // A tag that was there before its script is told its attributes before it is told that it is in the page.
    if (!this.#present || before === after) return;
    if (READ.includes(name)) {
      this.#unwatch();
      this.#level = null;
      if (name !== "departure") this.#tour = null;
      this.#watch();
    }
    this.#draw();
  }

  #watch(): void {
    const [tour, api, departure] = READ.map((name) => this.getAttribute(name));
    this.#tourId = tour ?? "";
    this.#service = this.#tourId === "" ? null : serviceAt(api ?? null);
    this.#fate = null;
    if (this.#service === null) {
      this.#fate = { kind: "unknown" };
      console.warn("<tour-availability> needs tour=\"ID\", and api=\"https://...\" where that is not the script's own origin", this);
      return;
    }
    this.#what = JSON.stringify([api, tour, departure]);
    this.#follow(this.#service.client);
    this.#leave = enter(this.#what, this);
  }

  #follow(client: Client): void {
    this.#unfollow = [
      client.watchTour(this.#tourId, this.#draw),
      client.watchTours(this.#draw),
      client.watchStatus(this.#draw),
    ];
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#stopAsking();
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
    this.#leave?.();
    this.#leave = null;
  }

  readonly #draw = (): void => {
    clearTimeout(this.#timer);
    const speech = speechIn(languageAt(this));
    const wanted = this.#wanted();
    const known = this.#known();
    const shown = shownOf(known, wanted, speech);
    this.#told ||= "seats" in shown;
    const waiting = shown.state === "loading" || shown.state === "unreachable";
    this.#card.draw(shown, {
      speech,
      href: this.#href(),
      lines: wanted.departure === null ? wanted.departures : 0,
      single: wanted.departure !== null,
      standIn: waiting && !this.#told && this.#hasContent(),
    });
    if (shown.state === "live") {
      const said = sentence(this.#level, shown.seats, speech);
      if (said !== null && speaks(this.#what, this)) this.#card.say(said);
      this.#level = shown.seats.level;
    }
    this.#lookAgain(shown, known);
  };

  #known(): Known {
    const now = Date.now();
    if (this.#service === null) {
      const status = { kind: "idle" } as const;
      return { tour: null, fate: this.#fate, failing: false, status, toldAt: 0, freshUntil: 0, now };
    }
    const { client, toldAt } = this.#service;
    // Where it is being read anew, what we had is all that there is to show, and nothing vouches for it.
    const freshUntil = this.#learn(client) ? client.freshUntil() : 0;
    const [status, failing] = [client.status(), client.listState() === "failing"];
    return { tour: this.#tour, fate: this.#fate, failing, status, toldAt: toldAt(), freshUntil, now };
  }

  /** Take over what the client knows now; say whether it knows the tour. */
  #learn(client: Client): boolean {
    const tour = client.tour(this.#tourId);
    if (tour !== null) {
      this.#tour = tour;
      this.#fate = null;
      this.#stopAsking();
    } else if (client.listState() === "complete") {
      // We saw it, and it is gone; or it was never there, which one has to ask.
      if (this.#tour !== null) this.#fate = { kind: "closed", name: this.#tour.name };
      else this.#inquiry ??= new Inquiry(client, this.#tourId, (fate) => this.#hear(client, fate));
    }
    return tour !== null;
  }

  #hear(client: Client, fate: Fate | "open"): void {
    if (fate === "open") {
      // The gateway knew no such tour when it was asked to follow it.
      for (const unfollow of this.#unfollow.splice(0)) unfollow();
      this.#follow(client);
      return;
    }
    if (this.#fate === null && fate.kind === "unknown") console.warn(`<tour-availability>: no tour "${this.#tourId}"`, this);
    this.#fate = fate;
    this.#draw();
  }

  #stopAsking(): void {
    this.#inquiry?.stop();
    this.#inquiry = null;
  }

  /** Time alone changes what is to be shown: what is live grows old in silence, and an age grows. */
  #lookAgain(shown: Shown, { status, toldAt, freshUntil, now }: Known): void {
    if (document.hidden || !("seats" in shown)) return;
    const growing = now - toldAt < MINUTE_MS ? SECONDS_MS : MINUTES_MS;
    const probed = status.kind === "connected" ? PROBED_MS : growing;
    this.#timer = setTimeout(this.#draw, shown.state === "live" ? freshUntil - now : probed);
  }

  #wanted(): Wanted {
    const lines = Number.parseInt(this.getAttribute("departures") ?? "", 10);
    return {
      departure: this.getAttribute("departure"),
      departures: Number.isNaN(lines) ? 0 : Math.min(Math.max(0, lines), MOST_LINES),
    };
  }

  /** Never a script: what stands in an attribute may have been written by others than the site. */
  #href(): string | null {
    const href = this.getAttribute("href");
    try {
      return href !== null && /^https?:$/.test(new URL(href, document.baseURI).protocol) ? href : null;
    } catch {
      return null;
    }
  }

  #hasContent(): boolean {
    return [...this.childNodes].some((node) =>
      node instanceof Element ? node.slot === "" : node.nodeType === Node.TEXT_NODE && (node.textContent ?? "").trim() !== "",
    );
  }
}
