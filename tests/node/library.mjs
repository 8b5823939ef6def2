// Our own client library, outside of a browser: prints every message once it is handed over, and what is said, one a
// line. Usage: library.mjs SOCKET_URL API_URL TOKEN
import { conversationOf, createClient, noticesOf } from "../../frontend/packages/client/dist/index.js";

const [url, api, token] = process.argv.slice(2);
const print = (value) => console.log(JSON.stringify(value));

const client = createClient({ url, api, getToken: () => token, language: "fr" });
const notices = noticesOf(client);
notices.watch(() => print({ type: "NOTICES", count: notices.view().notices.length }));
const conversation = conversationOf(client, null);
conversation.watch(() => {
  const { messages, outgoing } = conversation.view();
  print({ type: "CONVERSATION", texts: messages.map(({ message }) => message), outgoing: outgoing.length });
});
client.watchStatus(() => print({ type: "STATUS", ...client.status() }));
for (const type of ["BOOKING_CONFIRMED", "CHAT_MESSAGE"]) client.on(type, print);
await conversation.say("Bonjour");
print({ type: "SAID" });
