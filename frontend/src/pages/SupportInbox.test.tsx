// @vitest-environment jsdom
import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { openAs, said, stands, type World } from "../support/testing";

const ann = { state: stands(1, { unread: { traveller: 0, support: 2 } }), lastMessage: said(5, "ann"), waitingSince: said(4, "ann").timestamp };
const bob = { state: stands(1, { takenBy: "sam" }, "bob"), lastMessage: { ...said(3, "sam", "bob"), messageId: "b3" } };

const open = (path = "/support", roles = ["support"]): Promise<World> =>
  openAs("sam", roles, path, {
    "/api/conversations": { conversations: [ann, bob] },
    "/api/conversations/ann/messages": { messages: [said(4, "ann"), said(5, "ann")], more: false },
    "/api/conversations/bob/messages": { messages: [bob.lastMessage], more: false },
  });
const main = (): HTMLElement => screen.getByRole("main");
const rows = (): string[] =>
  within(main())
    .getAllByRole("link", { name: /text/ })
    .map((link) => link.querySelector("strong")?.textContent ?? "");
const row = (name: string): Promise<HTMLElement> => screen.findByRole("link", { name: new RegExp(`^${name}`) });

afterEach(cleanup);

it("lists conversations with what was said last, who waits since when, and who has them", async () => {
  await open();
  const first = await row("ann");
  expect(rows()).toEqual(["ann", "bob"]);
  expect(first.textContent).toMatch(/text 5.*2.*Attend depuis .*Libre$/);
  expect((await row("bob")).textContent).toMatch(/Vous.: text 3.*Prise par vous$/);
});

it("a conversation in which something is said is the first, but moves nothing while the list has the focus", async () => {
  const { server } = await open();
  const first = await row("ann");
  first.focus();
  server.last.says({ ...said(9, "bob", "bob"), messageId: "b9" });
  server.last.says(stands(2, { takenBy: "sam", unread: { traveller: 0, support: 1 } }, "bob"));
  await waitFor(async () => expect((await row("bob")).textContent).toContain("text 9"));
  expect(rows()).toEqual(["ann", "bob"]);
  expect(screen.getByText(/Il y a du nouveau/)).toBeDefined();
  first.blur();
  await waitFor(() => expect(rows()).toEqual(["bob", "ann"]));
  expect(screen.queryByText(/Il y a du nouveau/)).toBeNull();
});

it("nor while somebody points at it, until they ask for the order", async () => {
  const { server } = await open();
  await userEvent.hover(await row("ann"));
  server.last.says({ ...said(9, "bob", "bob"), messageId: "b9" });
  await userEvent.click(await screen.findByRole("button", { name: "Remettre dans l’ordre" }));
  expect(rows()).toEqual(["bob", "ann"]);
});

it("shows only one's own, or those that nobody has", async () => {
  await open();
  await row("ann");
  await userEvent.click(screen.getByRole("radio", { name: "Les miennes 1" }));
  expect(rows()).toEqual(["bob"]);
  await userEvent.click(screen.getByRole("radio", { name: "Libres 1" }));
  expect(rows()).toEqual(["ann"]);
});

it("opens a conversation where one goes on at once, and the list stays", async () => {
  const { sent } = await open();
  await userEvent.click(await row("ann"));
  const field = await screen.findByRole("textbox", { name: "Message à ann" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  expect((await row("ann")).getAttribute("aria-current")).toBe("page");
  await waitFor(() => expect(sent("CHAT_MARK").at(-1)).toMatchObject({ conversationId: "ann", messageId: "m5", mark: "read" }));
});

it("takes and releases, says who was faster, and leaves alone what another has", async () => {
  const { server, sent } = await open("/support/ann");
  await userEvent.click(await screen.findByRole("button", { name: "Prendre" }));
  const { id } = sent("CHAT_TAKE")[0] as { id: string };
  server.last.says({ type: "ERROR", code: "CONFLICT", message: "", id, details: { takenBy: "eve" } });
  await screen.findByText("eve l’a prise avant vous.");
  server.last.says(stands(2, { takenBy: "eve" }));
  await screen.findAllByText("Prise par eve");
  expect(screen.queryByRole("button", { name: /Prendre|Libérer/ })).toBeNull();
  server.last.says(stands(3, { takenBy: "sam" }));
  await userEvent.click(await screen.findByRole("button", { name: "Libérer" }));
  expect(sent("CHAT_RELEASE")).toMatchObject([{ conversationId: "ann" }]);
});

it("says when the traveller was last there: what they said, were handed, or are writing", async () => {
  const { server } = await open("/support/ann");
  const sign = (timestamp: string): string => {
    const time = new Intl.DateTimeFormat("fr-FR", { hour: "2-digit", minute: "2-digit" }).format(new Date(timestamp));
    return `Dernier signe à 1 juin ${time}`;
  };
  await screen.findByText(sign(said(5, "ann").timestamp));
  const answered = { ...said(6, "sam"), timestamp: "2026-06-01T10:20:00.000Z" };
  server.last.says(answered);
  server.last.says(stands(2));
  await screen.findByText("text 6");
  expect(screen.queryByText(sign(answered.timestamp))).toBeNull();
  server.last.says(stands(3, { delivered: { traveller: "m6" } }));
  await screen.findByText(sign(answered.timestamp));
  server.last.says({ type: "CHAT_TYPING", conversationId: "ann", from: "ann", timestamp: "2026-06-01T10:30:00.000Z" });
  await screen.findByText(sign("2026-06-01T10:30:00.000Z"));
});

it("an administrator may release what another has", async () => {
  const { server } = await open("/support/ann", ["support", "admin"]);
  await screen.findByRole("button", { name: "Prendre" });
  server.last.says(stands(2, { takenBy: "eve" }));
  await screen.findByRole("button", { name: "Libérer" });
});

it("an id with characters that mean something in addresses is the traveller's", async () => {
  await open(`/support/${encodeURIComponent("a/b@c?d%")}`);
  await screen.findByRole("heading", { level: 2, name: "a/b@c?d%" });
});

it("is for the team alone", async () => {
  await openAs("ann", [], "/support", {});
  expect((await screen.findByRole("alert")).textContent).toContain("Cette page demande un autre compte.");
});
