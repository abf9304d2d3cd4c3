// Node's own http module, written right: ids, resuming, an error event, an end.
import { createServer } from "node:http";

const block = (n, event = "tick") => `id: ${n}\nevent: ${event}\ndata: ${JSON.stringify({ n })}\n\n`;

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname === "/health") return response.end("ok");
  const known = request.headers["last-event-id"] ?? "";
  if (known === "6") return response.writeHead(204).end();
  response.writeHead(200, {
    "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
  });
  response.flushHeaders();
  if (request.method === "HEAD") return response.end();
  const failAfter = Number(url.searchParams.get("fail_after") ?? 99);
  const endless = url.pathname === "/endless";
  let n = /^[1-5]$/.test(known) ? Number(known) : 0;
  const next = () => {
    n += 1;
    if (endless) return response.write(block(n));
    if (n <= 5 && n > failAfter) {
      clearInterval(timer);
      return response.end('event: error\ndata: {"code": "failed", "message": "made to fail"}\n\n');
    }
    if (n <= 5) return response.write(block(n));
    clearInterval(timer);
    response.end(block(6, "done"));
  };
  const timer = setInterval(next, endless ? 50 : 100);
  response.on("close", () => clearInterval(timer));
  next();
});
server.listen(Number(process.argv[2]), "127.0.0.1");
