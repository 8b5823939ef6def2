// A stock `ws` client with a conversation to hold: sends COUNT messages to TO, each until it is acknowledged, and prints
// every frame it gets. It comes back after every close, to the next of its gateways, with the last message it was told.
// Usage: converse.mjs URL,URL TOKEN TO COUNT MILLISECONDS [CHANNEL]
import WebSocket from "ws";

const [urls, token, to, count, pause, channel] = process.argv.slice(2);
const gateways = urls.split(",");
const unacknowledged = new Map();
let socket;
let ready = false;
let last;
let sent = 0;

function print(frame) {
  console.log(JSON.stringify(frame));
}

function connect() {
  const since = last === undefined ? "" : `&since=${last}`;
  const headers = { Authorization: `Bearer ${token}` };
  socket = new WebSocket(`${gateways[0]}?tours=${since}`, { headers, handshakeTimeout: 5000 });
  socket.on("message", (data) => heard(JSON.parse(data)));
  socket.on("error", () => {});
  socket.on("close", (code) => {
    ready = false;
    print({ type: "CLOSED", code });
    gateways.push(gateways.shift());
    setTimeout(connect, 200);
  });
}

function heard(frame) {
  print(frame);
  if (frame.type === "WELCOME" && channel !== undefined) {
    socket.send(JSON.stringify({ type: "SUBSCRIBE", channel, since: last }));
  } else if (frame.type === "WELCOME" || frame.type === "SUBSCRIBED") {
    ready = true;
    for (const id of unacknowledged.keys()) say(id);
  } else if (frame.type === "CHAT_MESSAGE") {
    last = frame.messageId;
    unacknowledged.delete(frame.id);
  } else if (frame.type === "ERROR" && unacknowledged.has(frame.id)) {
    setTimeout(() => say(frame.id), frame.retryAfterMs ?? 500);
  }
}

function say(id) {
  if (ready && unacknowledged.has(id)) socket.send(unacknowledged.get(id));
}

const timer = setInterval(() => {
  if (sent >= count) {
    if (unacknowledged.size === 0) {
      clearInterval(timer);
      print({ type: "DONE" });
    }
    return;
  }
  sent += 1;
  const id = `${sent}`;
  unacknowledged.set(id, JSON.stringify({ type: "CHAT_MESSAGE", to, message: `${id} to ${to}`, id }));
  say(id);
}, Number(pause));
connect();
