/** Every address of the application, and the page that is there. A page is loaded when somebody goes to it. */
import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import type { Key } from "./locale/fr";
import { TourDashboard } from "./pages/TourDashboard";
import type { Role } from "./session";

/** The parts of an address that its path names with a colon. */
export interface PageProps {
  readonly params: Readonly<Record<string, string | undefined>>;
}

export interface Place {
  /** A part after a colon is whatever it is; with a question mark it may be missing, as it is where the link leads. */
  readonly path: string;
  readonly Page: ComponentType<PageProps> | LazyExoticComponent<ComponentType<PageProps>>;
  /** What its link is called; without one no link leads there from every page. */
  readonly name?: Key;
  /** Whom it is for; without one, everybody. */
  readonly role?: Role;
  /** It stays as it is, with other `params`, where only such a part changes. */
  readonly stays?: boolean;
}

export const PLACES: readonly Place[] = [
  { path: "/", Page: TourDashboard, name: "place.tours" },
  {
    path: "/tours/:tourId",
    Page: lazy(async () => ({ default: (await import("./pages/TourAvailability")).TourAvailability })),
  },
  {
    path: "/bookings",
    Page: lazy(async () => ({ default: (await import("./pages/MyBookings")).MyBookings })),
    name: "place.bookings",
  },
  {
    path: "/support/:travellerId?",
    Page: lazy(async () => ({ default: (await import("./pages/SupportInbox")).SupportInbox })),
    name: "place.support",
    role: "support",
    stays: true,
  },
  {
    path: "/random-numbers",
    Page: lazy(async () => ({ default: (await import("./pages/RandomNumberDisplay")).RandomNumberDisplay })),
    name: "place.numbers",
  },
  {
    path: "/descriptions",
    Page: lazy(async () => ({ default: (await import("./pages/DescriptionList")).DescriptionList })),
    name: "place.descriptions",
    role: "staff",
  },
  {
    path: "/descriptions/:tourId",
    Page: lazy(async () => ({ default: (await import("./pages/DescriptionEditor")).DescriptionEditor })),
    role: "staff",
  },
  {
    path: "/admin",
    Page: lazy(async () => ({ default: (await import("./pages/Admin")).Admin })),
    name: "place.admin",
    role: "admin",
  },
  {
    path: "/operate",
    Page: lazy(async () => ({ default: (await import("./pages/OperateTours")).OperateTours })),
    name: "place.operate",
    role: "staff",
  },
  {
    path: "/operate/new",
    Page: lazy(async () => ({ default: (await import("./pages/OperateNewTour")).OperateNewTour })),
    role: "staff",
  },
  {
    path: "/operate/tours/:tourId",
    Page: lazy(async () => ({ default: (await import("./pages/OperateTour")).OperateTour })),
    role: "staff",
  },
];

/** Where the link to a place leads: its path without a part that may be missing. */
export function linkTo({ path }: Place): string {
  return path.replace(/\/:\w+\?$/, "");
}

/** The place of the navigation that an address is, or is inside of; undefined for one that is nowhere in it. */
export function sectionOf(address: string): Place | undefined {
  return PLACES.filter(({ name }) => name !== undefined).findLast((place) => {
    const link = linkTo(place);
    return address === link || address.startsWith(link === "/" ? "/tours/" : `${link}/`);
  });
}
