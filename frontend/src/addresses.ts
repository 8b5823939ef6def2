/** Addresses of pages that are about one thing. */

export function addressOf(tourId: string): string {
  return `/tours/${encodeURIComponent(tourId)}`;
}
