// Socket.IO with its Redis adapter or its Redis streams adapter, as its documentation shows them.
// Usage: … PORT STORE_PORT pubsub|streams. A session's sockets are in a room of its name.
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";

const [, , port, storePort, kind] = process.argv;
const client = createClient({ url: `redis://127.0.0.1:${storePort}` });
await client.connect();

let adapter;
if (kind === "streams") {
  const { createAdapter } = await import("@socket.io/redis-streams-adapter");
  adapter = createAdapter(client);
} else {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const subscriber = client.duplicate();
  await subscriber.connect();
  adapter = createAdapter(client, subscriber);
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname === "/logout") {
    io.in(`session:${url.searchParams.get("session")}`).disconnectSockets(true);
  }
  response.setHeader("Content-Type", "application/json");
  response.end('{"done":true}');
});
const io = new Server(server, { adapter, transports: ["websocket"] });
io.on("connection", (socket) => {
  socket.join(`session:${socket.handshake.query.session}`);
});

server.listen(Number(port), "127.0.0.1");
