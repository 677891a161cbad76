// @ts-check
// The Worker by the library's own glue, which starts a Go instance for each call.
import stock from "./build/go/worker.mjs";
import { handler } from "./handler.mjs";

export default handler((env, ctx, call) =>
  call({
    handleRequest: (request) => stock.fetch(request, env, ctx),
    runScheduler: (event) => stock.scheduled(event, env, ctx),
  }),
);
