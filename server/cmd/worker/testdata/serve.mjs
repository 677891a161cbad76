// @ts-check
// Serves a Worker on this machine, as wrangler dev does, but without a debugger: that takes as long for a call as the Worker.
//
//   node serve.mjs MODULE PORT STATE [NAME:VALUE]…
import { unstable_startWorker } from "wrangler";

const [entrypoint, port, persist, ...vars] = process.argv.slice(2);
const bindings = vars.map((/** @type {string} */ text) => {
  const [name, ...value] = text.split(":");
  return /** @type {const} */ ([name, { type: "plain_text", value: value.join(":") }]);
});
const worker = await unstable_startWorker({
  config: "wrangler.jsonc",
  entrypoint,
  bindings: Object.fromEntries(bindings),
  dev: {
    server: { hostname: "127.0.0.1", port: Number(port) },
    remote: false,
    persist,
    inspector: false,
    watch: false,
    logLevel: "log", // what the Worker logs
    testScheduled: true,
  },
});
await worker.ready;
