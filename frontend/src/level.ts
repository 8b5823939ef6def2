/** The indicator's steps: green above 10 seats, orange from 5 to 10, red below 5, sold out at 0. */
export type Level = "many" | "few" | "last" | "none";

export function levelOf(seats: number): Level {
  if (seats > 10) return "many";
  if (seats >= 5) return "few";
  return seats > 0 ? "last" : "none";
}
