// fastify-sse-v2: reply.sse with an asynchronous iterable.
import { setTimeout as sleep } from "node:timers/promises";
import Fastify from "fastify";
import { FastifySSEPlugin } from "fastify-sse-v2";

const app = Fastify();
app.register(FastifySSEPlugin);
app.get("/health", async () => "ok");

const message = (n, event = "tick") => ({ id: String(n), event, data: JSON.stringify({ n }) });

app.get("/stream", (request, reply) => {
  const failAfter = Number(request.query.fail_after ?? 99);
  reply.sse((async function* () {
    for (let n = 1; n <= 5; n += 1) {
      if (n > failAfter) throw new Error("made to fail");
      yield message(n);
      await sleep(100);
    }
    yield message(6, "done");
  })());
});

let active = 0;
app.get("/probe", async () => ({ active_streams: active }));

app.get("/endless", (request, reply) => {
  reply.sse((async function* () {
    active += 1;
    try {
      for (let n = 1; ; n += 1) {
        yield message(n);
        await sleep(50);
      }
    } finally {
      active -= 1;
    }
  })());
});
app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
