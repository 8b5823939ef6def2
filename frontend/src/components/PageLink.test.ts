import { expect, it } from "vitest";
import { addressed } from "./PageLink";

it.each([
  ["/", "fr", "/"],
  ["/?lang=en", "fr", "/"],
  ["/tours/a%20b?day=2026-07-14&lang=en#book", "fr", "/tours/a%20b?day=2026-07-14#book"],
  ["/", "en", "/?lang=en"],
  ["/tours?q=caf%C3%A9#x", "en", "/tours?q=caf%C3%A9&lang=en#x"],
] as const)("%j in %s is %j: path, query and fragment stay", (address, language, there) => {
  expect(addressed(address, language)).toBe(there);
});
