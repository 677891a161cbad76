// @ts-check
// Runs the tests of drivers, which are Go programs, inside workerd, where R2 and D1 are. GET /d1 runs those of package d1; each
// ?arg= is an argument.
import "../build/go/wasm_exec.js";
import { Batches } from "../../../store/d1/batches.mjs";
import { Parts } from "../../../store/r2/parts.mjs";
import d1 from "../build/test/d1.wasm";
import r2 from "../build/test/r2.wasm";

/** @type {Record<string, WebAssembly.Module>} */
const programs = { d1, r2 };

/** @type {ExportedHandler<import("../handler.mjs").Env>} */
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const program = programs[url.pathname.slice(1)];
    if (!program) return new Response("ok\n");
    let output = "";
    const decoder = new TextDecoder();
    fs.writeSync = (_, bytes) => {
      output += decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
    const go = new Go();
    go.argv = ["test", "-test.v", ...url.searchParams.getAll("arg")];
    let code = -1;
    go.exit = (c) => (code = c);
    const instance = new WebAssembly.Instance(program, { ...go.importObject, workers: { ready() {} } });
    await go.run(instance, { env: { ...env, BATCHES: new Batches(env.DB), PARTS: new Parts(env.BUCKET) }, ctx: {}, binding: {} });
    return new Response(`${output}\nexit ${code}\n`);
  },
};
