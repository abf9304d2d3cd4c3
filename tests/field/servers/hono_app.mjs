// Hono's streamSSE on its Node server.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();
app.get("/health", (context) => context.text("ok"));

const message = (n, event = "tick") => ({ id: String(n), event, data: JSON.stringify({ n }) });

app.get("/stream", (context) => {
  const known = context.req.header("last-event-id") ?? "";
  if (known === "6") return context.body(null, 204);
  const failAfter = Number(context.req.query("fail_after") ?? 99);
  return streamSSE(context, async (stream) => {
    for (let n = /^[1-5]$/.test(known) ? Number(known) + 1 : 1; n <= 5; n += 1) {
      if (n > failAfter) throw new Error("made to fail");
      await stream.writeSSE(message(n));
      await stream.sleep(100);
    }
    await stream.writeSSE(message(6, "done"));
  });
});

app.get("/endless", (context) =>
  streamSSE(context, async (stream) => {
    for (let n = 1; !stream.aborted; n += 1) {
      await stream.writeSSE(message(n));
      await stream.sleep(50);
    }
  }),
);
serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
