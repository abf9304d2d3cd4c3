// better-sse on Express.
import express from "express";
import { createSession } from "better-sse";

const app = express();
app.get("/health", (request, response) => response.send("ok"));

app.get(["/stream", "/endless"], async (request, response) => {
  const known = request.get("last-event-id") ?? "";
  if (known === "6") return response.status(204).end();
  const session = await createSession(request, response);
  const endless = request.path === "/endless";
  let n = /^[1-5]$/.test(known) ? Number(known) : 0;
  const next = () => {
    n += 1;
    if (n <= 5 || endless) return session.push({ n }, "tick", String(n));
    clearInterval(timer);
    session.push({ n: 6 }, "done", "6");
    response.end();
  };
  const timer = setInterval(next, endless ? 50 : 100);
  session.on("disconnected", () => clearInterval(timer));
  next();
});
app.listen(Number(process.argv[2]), "127.0.0.1");
