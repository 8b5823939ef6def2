// A stock y-websocket client: prints what it sees whenever that changes, and does what is appended to a file.
// Usage: edit.mjs SERVER DOCUMENT TOKEN NAME COMMANDS
import { existsSync, readFileSync } from "node:fs";
import * as decoding from "lib0/decoding";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const [server, name, token, user, commands] = process.argv.slice(2);
const doc = new Y.Doc();
const text = doc.getText("description");
const params = { token, saved: "1" };
const provider = new WebsocketProvider(server, name, doc, { params, WebSocketPolyfill: WebSocket });

let sent = 0;
let saved = -1;
let status = "connecting";
let closed = null;
doc.on("update", (_, origin) => {
  if (origin !== provider && provider.wsconnected) sent += 1;
});
provider.on("status", (event) => {
  status = event.status;
  sent = 0;
  saved = -1;
});
provider.on("closed", (event) => (closed = event.code));
provider.messageHandlers[100] = (_, decoder) => (saved = decoding.readVarUint(decoder));
provider.awareness.setLocalStateField("user", { name: user });

let last = "";
let done = 0;
let typing = false;
setInterval(() => {
  const lines = existsSync(commands) ? readFileSync(commands, "utf8").split("\n").slice(0, -1) : [];
  for (; done < lines.length; done += 1) {
    const command = JSON.parse(lines[done]);
    if (command.insert) text.insert(Math.min(command.insert[0], text.length), command.insert[1]);
    else if (command.append) text.insert(text.length, command.append);
    else if (command.delete) text.delete(...command.delete);
    else if (command.disconnect) provider.disconnect();
    else if (command.connect) provider.connect();
    else if (command.leave) process.exit(0);
    else if (command.type) type(command.type);
  }
  const people = [...provider.awareness.getStates().values()].map((state) => state.user?.name).sort();
  const allSaved = saved === sent;
  const { synced } = provider;
  const now = JSON.stringify({ text: text.toString(), synced, status, people, allSaved, closed, typing });
  if (now !== last) console.log(now);
  last = now;
}, 10);

// Somebody who types: [letters, milliseconds between them, seed].
function type([letters, pause, seed]) {
  let state = seed;
  typing = true;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  const timer = setInterval(() => {
    if (text.length > 4 && random(5) === 0) text.delete(random(text.length - 1), 1);
    else text.insert(random(text.length + 1), String.fromCharCode(97 + random(26)));
    letters -= 1;
    if (letters === 0) {
      clearInterval(timer);
      typing = false;
    }
  }, pause);
}
