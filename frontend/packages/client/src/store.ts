/**
 * What the page knows of tours and departures: facts joined by version, within one epoch.
 *
 * Readers get immutable views, the same object until something in it changed.
 */
import type { Availability, ServerFrame, Tour } from "./frames.js";
import { type Fact, isNewer } from "./fact.js";
import type { Readers } from "./readers.js";
import { type DepartureView, type Entry, listedName, type Seats, type TourView, viewOf } from "./views.js";
import type { Snapshot } from "./wire.js";

/** A version below every real one: for facts from a service that has none. */
const UNVERSIONED = -1;

export class Store {
  readonly #readers: Readers;
  #epoch: string | null = null;
  #entries = new Map<string, Entry>();
  #arrivals = 0;
  #complete = false;
  #ids: readonly string[] = [];
  #idsChanged = false;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  // Reading

  get epoch(): string | null {
    return this.#epoch;
  }

  /** Has a whole snapshot of this epoch been joined? Until then an empty list means nothing. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Ids of the open tours, by name; the same array until it changes. */
  ids(): readonly string[] {
    if (this.#idsChanged) {
      this.#idsChanged = false;
      const listed = [...this.#entries].flatMap(([id, entry]) => (entry.listed === null ? [] : [{ id, name: entry.listed }]));
      listed.sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
      const ids = listed.map(({ id }) => id);
      if (JSON.stringify(ids) !== JSON.stringify(this.#ids)) this.#ids = ids;
    }
    return this.#ids;
  }

  /** The tour, or null when it is unknown or closed; the same object until it changes. */
  tour(id: string): TourView | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    if (entry.view === undefined) entry.view = viewOf(id, entry);
    return entry.view;
  }

  /** Does REST still have to tell us of this tour (its price, its time zone)? */
  isUndescribed(id: string): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && entry.listed !== null && entry.about === undefined;
  }

  // Learning

  /** Join what a frame says. Frames that say nothing of seats change nothing. */
  apply(frame: ServerFrame): void {
    switch (frame.type) {
      case "WELCOME":
        if (frame.epoch !== this.#epoch) this.reset(frame.epoch);
        return;
      case "RESET":
        this.reset(frame.epoch);
        return;
      case "INITIAL_STATE":
      case "AVAILABILITY_UPDATE":
        this.#joinAvailability(frame);
        return;
      case "TOUR_CLOSED": {
        const closed = { version: frame.version, timestamp: frame.timestamp, value: null };
        if (frame.departureId === undefined) this.#joinSeats(frame.tourId, closed);
        else this.#joinDeparture(frame.tourId, frame.departureId, closed);
        return;
      }
      default:
        return;
    }
  }

  /** Join a fact from an answer of the service. It is dropped unless it is of the epoch we are in. */
  applyAvailability(availability: Availability, epoch: string | null): void {
    if (epoch !== null && epoch === this.#epoch) this.#joinAvailability(availability);
  }

  /** A mark in time, to be taken before a snapshot is asked for. */
  mark(): number {
    return this.#arrivals;
  }

  /**
   * Join a snapshot asked for at `mark`; return false when it is of another epoch and was not used.
   *
   * A snapshot holds every open tour that was asked for. One that we knew of before asking, and that is not in it, has
   * been closed since: the same as TOUR_CLOSED at the version we knew, so that a later fact can still open it again.
   */
  applySnapshot(snapshot: Snapshot, mark: number): boolean {
    const { epoch, of } = snapshot;
    if (epoch !== null) {
      if (this.#epoch === null) this.#epoch = epoch;
      if (epoch !== this.#epoch) return false;
    }
    const present = new Set<string>();
    for (const tour of snapshot.tours) {
      present.add(tour.id);
      this.#joinTour(tour, epoch !== null, mark);
    }
    if (epoch !== null) {
      for (const [id, { seats }] of this.#entries) {
        if (present.has(id) || (of && !of.includes(id))) continue;
        if (seats?.value && seats.arrived <= mark) {
          this.#joinSeats(id, { ...seats, value: null });
        }
      }
    }
    if (!this.#complete) {
      this.#complete = true;
      this.#readers.touch("tours");
    }
    return true;
  }

  /** Forget everything: versions start anew. */
  reset(epoch: string | null): void {
    for (const id of this.#entries.keys()) this.#readers.touch(`tour ${id}`);
    this.#entries = new Map();
    this.#epoch = epoch;
    this.#complete = false;
    this.#touchList();
  }

  // Joining

  #joinAvailability(fact: Availability): void {
    const { tourId, version, timestamp, departure } = fact;
    const { tourName: name, availableSeats, capacity, held } = fact;
    const seats = { name, availableSeats, capacity, held };
    this.#joinSeats(tourId, { version, timestamp, value: seats });
    if (departure !== undefined) {
      this.#joinDeparture(tourId, departure.id, { version: departure.version, timestamp, value: departure });
    }
  }

  #joinTour(tour: Tour, versioned: boolean, mark: number): void {
    const version = versioned ? (tour.version ?? UNVERSIONED) : UNVERSIONED;
    const timestamp = tour.timestamp ?? "";
    const entry = this.#entry(tour.id);
    if (entry.about === undefined || version >= entry.about.version) {
      const { name, price = null, currency = null, timeZone = null } = tour;
      entry.about = { version, name, price, currency, timeZone };
      this.#touch(tour.id, entry);
    }
    const { name, available_seats: availableSeats, capacity, held } = tour;
    const seats = { name, availableSeats, capacity, held };
    this.#joinSeats(tour.id, { version, timestamp, value: seats });
    const present = new Set<string>();
    for (const departure of tour.departures ?? []) {
      present.add(departure.id);
      const known = versioned ? departure.version : UNVERSIONED;
      this.#joinDeparture(tour.id, departure.id, {
        version: known,
        timestamp: departure.timestamp ?? timestamp,
        value: departure,
      });
    }
    if (!versioned) return;
    for (const [id, departure] of entry.departures) {
      if (departure.value !== null && departure.arrived <= mark && !present.has(id)) {
        this.#joinDeparture(tour.id, id, { ...departure, value: null });
      }
    }
  }

  #joinSeats(id: string, next: Fact<Seats>): void {
    const entry = this.#entry(id);
    if (!isNewer(next, entry.seats)) return;
    entry.seats = { ...next, arrived: ++this.#arrivals };
    this.#touch(id, entry);
  }

  #joinDeparture(tourId: string, id: string, next: Fact<DepartureView>): void {
    const entry = this.#entry(tourId);
    if (!isNewer(next, entry.departures.get(id))) return;
    entry.departures.set(id, { ...next, arrived: ++this.#arrivals });
    this.#touch(tourId, entry);
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { departures: new Map(), view: null, listed: null };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #touch(id: string, entry: Entry): void {
    entry.view = undefined;
    this.#readers.touch(`tour ${id}`);
    const listed = listedName(id, entry);
    if (listed === entry.listed) return;
    entry.listed = listed;
    this.#touchList();
  }

  #touchList(): void {
    this.#idsChanged = true;
    this.#readers.touch("tours");
  }
}
