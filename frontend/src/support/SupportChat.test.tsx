// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { openAs, said, stands, type World } from "./testing";

const history = [said(1, "ann"), said(2, "sam")];
const state = stands(3, { unread: { traveller: 1, support: 0 }, read: { support: "m1" }, delivered: { support: "m1" } });

const open = (): Promise<World> =>
  openAs("ann", [], "/", {
    "/api/conversations": { conversations: [{ state, lastMessage: history[1] }] },
    "/api/conversations/ann/messages": { messages: history, more: true },
    "/api/conversations/ann/messages?before=m1": { messages: [said(0, "ann")], more: false },
  });
const help = (): Promise<HTMLElement> => screen.findByRole("button", { name: /^Aide/ });

async function panel(): Promise<HTMLElement> {
  await userEvent.click(await help());
  const dialog = await screen.findByRole("dialog", { name: "Discuter avec notre équipe" });
  await within(dialog).findByText("text 2");
  return dialog;
}

afterEach(cleanup);

it("says how much is unread before anything of it is loaded, and that it arrived here", async () => {
  const { sent } = await open();
  await screen.findByRole("button", { name: /^Aide\s*1\smessage non lu$/ });
  await waitFor(() => expect(sent("CHAT_MARK")[0]).toMatchObject({ messageId: "m2", mark: "delivered" }));
});

it("what is unread is announced when it comes, not when the page opens", async () => {
  const { server } = await open();
  await screen.findByRole("button", { name: /1.message non lu/ });
  server.last.says(said(3, "sam"));
  server.last.says(stands(4, { unread: { traveller: 2, support: 0 } }));
  await screen.findByText("2 messages non lus de notre équipe", {}, { timeout: 3_000 });
  expect(screen.queryByText("1 message non lu de notre équipe")).toBeNull();
});

it("shows who said what, how far it came, and marks as read what is before one's eyes", async () => {
  const { sent } = await open();
  const dialog = await panel();
  const [, ann, sam] = within(within(dialog).getByRole("log")).getAllByRole("listitem");
  expect(ann?.textContent).toMatch(/^Vous .*text 1Lu$/);
  expect(sam?.textContent).toMatch(/^sam .*text 2$/);
  await waitFor(() => expect(sent("CHAT_MARK").at(-1)).toMatchObject({ messageId: "m2", mark: "read" }));
});

it("has the focus when it opens, and gives it back when Escape closes it", async () => {
  await open();
  const dialog = await panel();
  expect(document.activeElement).toBe(within(dialog).getByRole("textbox", { name: "Votre message" }));
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(document.activeElement).toBe(await help());
});

it("Enter sends and Shift with Enter begins a line; what was not sent is still there after closing", async () => {
  const { server, sent } = await open();
  const dialog = await panel();
  await userEvent.keyboard("one{Shift>}{Enter}{/Shift}two{Enter}draft");
  expect(sent("CHAT_MESSAGE")).toMatchObject([{ to: "ann", message: "one\ntwo" }]);
  expect(sent("CHAT_TYPING")[0]).toEqual({ type: "CHAT_TYPING", to: "ann" });
  await within(dialog).findByText("Envoi…");
  const { id } = sent("CHAT_MESSAGE")[0] as { id: string };
  server.last.says({ ...said(3, "ann"), message: "one\ntwo", id });
  await within(dialog).findByText("Envoyé");
  await userEvent.keyboard("{Escape}");
  await userEvent.click(await help());
  expect(await screen.findByDisplayValue("draft")).toBeDefined();
  await userEvent.clear(screen.getByRole("textbox", { name: "Votre message" }));
});

it("what was refused says why: too fast may be tried again, what is no text goes back to be edited", async () => {
  const { server, sent } = await open();
  const dialog = await panel();
  await userEvent.keyboard("hello{Enter}");
  const { id } = sent("CHAT_MESSAGE")[0] as { id: string };
  server.last.says({ type: "ERROR", code: "RATE_LIMITED", message: "", id, retryAfterMs: 1_000 });
  await within(dialog).findByText(/Trop de messages à la fois/);
  await userEvent.click(within(dialog).getByRole("button", { name: "Réessayer" }));
  expect(sent("CHAT_MESSAGE").map((frame) => frame["id"])).toEqual([id, id]);
  server.last.says({ type: "ERROR", code: "INVALID_MESSAGE", message: "", id, details: { code: "MESSAGE_NOT_TEXT" } });
  await within(dialog).findByText(/Refusé.: il contient des caractères qui ne sont pas du texte/);
  await userEvent.click(within(dialog).getByRole("button", { name: "Modifier" }));
  expect(within(dialog).getByRole("textbox")).toHaveProperty("value", "hello");
  expect(within(dialog).queryByText(/Pas envoyé/)).toBeNull();
  await userEvent.clear(within(dialog).getByRole("textbox"));
});

it("says before it is passed how many characters are possible, and sends nothing past it", async () => {
  const { sent } = await open();
  const dialog = await panel();
  const field = within(dialog).getByRole("textbox");
  fireEvent.change(field, { target: { value: "𝄞".repeat(4_090) } });
  expect(within(dialog).getByText("6 caractères possibles encore")).toBeDefined();
  expect(within(dialog).getByRole("button", { name: "Envoyer" }).getAttribute("aria-disabled")).toBe("false");
  fireEvent.change(field, { target: { value: "𝄞".repeat(4_097) } });
  expect(within(dialog).getByText("1 caractère de trop")).toBeDefined();
  expect(field.getAttribute("aria-invalid")).toBe("true");
  await userEvent.keyboard("{Enter}");
  expect(sent("CHAT_MESSAGE")).toEqual([]);
  fireEvent.change(field, { target: { value: "" } });
});

it("earlier messages are read when somebody asks for them", async () => {
  await open();
  const dialog = await panel();
  await userEvent.click(within(dialog).getByRole("button", { name: "Afficher les messages précédents" }));
  await within(dialog).findByText("text 0");
  expect(within(dialog).queryByRole("button", { name: "Afficher les messages précédents" })).toBeNull();
});

it("says whether somebody of the team is there, and who is writing", async () => {
  const { server } = await open();
  const dialog = await panel();
  expect(dialog.textContent).toContain("Personne n’est là pour l’instant.");
  server.last.says({ type: "SUPPORT_PRESENCE", present: 2, timestamp: "" });
  await within(dialog).findByText("2 personnes de l’équipe sont là.");
  server.last.says({ type: "CHAT_TYPING", conversationId: "ann", from: "sam", timestamp: "" });
  await within(dialog).findByText("sam écrit…");
});

it("says that there is no connection, and that what is sent will go out", async () => {
  const { server } = await open();
  const dialog = await panel();
  server.last.ends(1006);
  await within(dialog).findByText("Pas de connexion. Ce que vous envoyez partira à son retour.");
});

it("asks whoever is not signed in to do that", async () => {
  await openAs(null, [], "/", {});
  await userEvent.click(await help());
  const dialog = await screen.findByRole("dialog");
  expect(dialog.textContent).toContain("Connectez-vous pour nous écrire.");
  expect(within(dialog).queryByRole("textbox")).toBeNull();
});

it("is not for the team, who has a page for it", async () => {
  await openAs("sam", ["support"], "/", {});
  await screen.findByRole("link", { name: "Assistance" });
  expect(screen.queryByRole("button", { name: /^Aide/ })).toBeNull();
});
