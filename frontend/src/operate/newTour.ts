/** The form in which a tour is made: what is written in it, and the tour that this means. */
import type { Speech } from "../text";
import { type DepartureField, type DepartureForm, readDeparture } from "./departureForm";
import { type Checked, checkCapacity, checkId, checkName, checkPrice, type Mistakes, type Refusal } from "./mistakes";
import { newDepartureId, type WishedTour } from "./operator";
import { zones } from "./zoned";

export interface NewDepartureForm extends DepartureForm {
  /** Also the departure's id, so that making the tour twice makes it once. */
  readonly id: string;
}

export interface NewTourForm {
  readonly name: string;
  /** null: the one that is proposed. */
  readonly id: string | null;
  readonly price: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly dated: boolean;
  /** Of a tour without dates. */
  readonly capacity: string;
  readonly departures: readonly NewDepartureForm[];
}

export type TourField = "name" | "id" | "price" | "currency" | "timeZone" | "capacity";

export interface NewTourMistakes {
  readonly tour: Mistakes<TourField>;
  /** By the departure's id. */
  readonly departures: Readonly<Record<string, Mistakes<DepartureField>>>;
}

export const NO_MISTAKES: NewTourMistakes = { tour: {}, departures: {} };

export function emptyForm(timeZone: string): NewTourForm {
  const zone = zones().includes(timeZone) ? timeZone : "UTC";
  return {
    ...{ name: "", id: null, price: "", currency: "EUR", timeZone: zone },
    ...{ dated: true, capacity: "", departures: [nextDeparture([])] },
  };
}

/** Another departure: as large as the last, and at the same time of day. */
export function nextDeparture(departures: readonly NewDepartureForm[]): NewDepartureForm {
  const { time = "", capacity = "" } = departures.at(-1) ?? {};
  return { id: newDepartureId(), date: "", time, turn: null, capacity };
}

/** The tour that the form means, or all that is wrong with it. */
export function readNewTour(
  speech: Speech,
  form: NewTourForm,
  proposed: string,
): { readonly wish: WishedTour } | { readonly mistakes: NewTourMistakes } {
  const tour: Partial<Record<TourField, string>> = {};
  const departures: Record<string, Mistakes<DepartureField>> = {};
  const take = <Value>(field: TourField, checked: Checked<Value>, otherwise: Value): Value => {
    if ("value" in checked) return checked.value;
    tour[field] = checked.wrong;
    return otherwise;
  };
  const wish: WishedTour = {
    name: take("name", checkName(speech, form.name), ""),
    id: take("id", checkId(speech, form.id ?? proposed), ""),
    price: take("price", checkPrice(speech, form.price, form.currency), 0) / 100,
    currency: form.currency,
    timeZone: form.timeZone,
    capacity: form.dated ? null : take("capacity", checkCapacity(speech, form.capacity, { sold: 0, held: 0 }), 0),
    departures: form.dated
      ? form.departures.flatMap((departure) => {
          const read = readDeparture(speech, departure, form.timeZone);
          if ("value" in read) return [{ id: departure.id, ...read.value }];
          departures[departure.id] = read.wrong;
          return [];
        })
      : null,
  };
  const right = Object.keys(tour).length === 0 && Object.keys(departures).length === 0;
  return right ? { wish } : { mistakes: { tour, departures } };
}

const TOUR_FIELDS: readonly string[] = ["name", "id", "price", "currency", "timeZone", "capacity"] satisfies TourField[];

/** Where in the form a refusal of the service belongs; null where it belongs to all of it. */
export function placed({ field, sentence }: Refusal, form: NewTourForm): NewTourMistakes | null {
  const [, index, part] = /^departures\[(\d+)\]\.(startsAt|capacity)$/.exec(field ?? "") ?? [];
  const departure = form.departures[Number(index)];
  if (index !== undefined && departure !== undefined) {
    return { tour: {}, departures: { [departure.id]: { [part === "capacity" ? "capacity" : "date"]: sentence } } };
  }
  if (field === null || !TOUR_FIELDS.includes(field) || (field === "capacity" && form.dated)) return null;
  return { ...NO_MISTAKES, tour: { [field as TourField]: sentence } };
}
