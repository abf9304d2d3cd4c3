// Express as its users write event streams. COMPRESSION=yes adds the middleware that many apps have; FLUSH=yes mends it.
import express from "express";
import compression from "compression";

const app = express();
if (process.env.COMPRESSION) app.use(compression({ threshold: 0 }));

app.get("/health", (request, response) => response.send("ok"));

const block = (n, event = "tick") => `id: ${n}\nevent: ${event}\ndata: ${JSON.stringify({ n })}\n\n`;

app.get(["/stream", "/endless"], (request, response) => {
  if (request.get("last-event-id") === "6") return response.status(204).end();
  response.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-cache", Connection: "keep-alive" });
  response.flushHeaders();
  if (request.method === "HEAD") return response.end();
  const endless = request.path === "/endless";
  let n = /^[1-5]$/.test(request.get("last-event-id") ?? "") ? Number(request.get("last-event-id")) : 0;
  const next = () => {
    n += 1;
    const last = n > 5 && !endless;
    response.write(block(n, last ? "done" : "tick"));
    if (process.env.FLUSH) response.flush?.();
    if (last) {
      clearInterval(timer);
      response.end();
    }
  };
  const timer = setInterval(next, endless ? 50 : 100);
  response.on("close", () => clearInterval(timer));
  next();
});
app.listen(Number(process.argv[2]), "127.0.0.1");
