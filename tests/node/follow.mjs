// A stock `ws` client: prints every frame it gets, one a line. Usage: follow.mjs URL
import WebSocket from "ws";

const socket = new WebSocket(process.argv[2]);
socket.on("message", (data) => console.log(data.toString()));
socket.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
socket.on("close", (code) => console.log(JSON.stringify({ type: "CLOSED", code })));
