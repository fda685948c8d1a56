// Express, bare or with express-session in Redis. Usage: … PORT STORE_PORT bare|session.
import { randomBytes } from "node:crypto";
import express from "express";

const [, , port, storePort, kind] = process.argv;
const application = express();

if (kind === "session") {
  const { default: session } = await import("express-session");
  const { RedisStore } = await import("connect-redis");
  const { createClient } = await import("redis");
  const client = createClient({ url: `redis://127.0.0.1:${storePort}` });
  await client.connect();
  application.use(
    session({
      store: new RedisStore({ client }),
      secret: randomBytes(32).toString("hex"),
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 3_600_000 },
    }),
  );
  // The first request signs in.
  application.get("/", (request, response) => {
    request.session.user ??= "alice";
    response.json({ user: request.session.user });
  });
  application.patch("/", express.json(), (request, response) => {
    // Another number each time: express-session writes only what has changed.
    const data = { ...request.body, number: (request.session.data?.number ?? 0) + 1 };
    request.session.data = data;
    response.json(data);
  });
} else {
  application.get("/", (_request, response) => response.json({ user: "alice" }));
}

application.listen(Number(port), "127.0.0.1");
