// @ts-check
// Loads the engine (bin/engine.wasm) into this worker. Go cannot throw across the border, so its exports return Errors;
// here they become throws, which is what engine.d.ts promises.

/** @import { Buffers, Engine } from "./engine.d.ts" */

const LOADING = 60_000; // milliseconds

/**
 * Resolves to the engine, started, and the module that it was started from, of which other workers may start their own.
 * @param {WebAssembly.Module} [compiled]
 * @returns {Promise<{engine: Engine, module: WebAssembly.Module}>}
 */
export async function loadEngine(compiled) {
  await Promise.race([import(new URL("../bin/wasm_exec.js", import.meta.url).href), late()]).catch(notLoaded);
  const go = new Go();
  const module = compiled ?? (await compile(new URL("../bin/engine.wasm", import.meta.url)).catch(notRunning));
  const instance = await WebAssembly.instantiate(module, go.importObject).catch(notRunning);
  go.run(instance); // settles only when the engine ends, which it never should
  if (!globalThis.sealpost) notRunning("it did not start");
  globalThis.sealpost.memory = /** @type {WebAssembly.Memory} */ (instance.exports.mem);
  return { engine: throwing(globalThis.sealpost, () => go.exited && notRunning("it has ended")), module };
}

/** Fails after a time in which what is small has arrived on any line that is not dead. */
const late = () => new Promise((_, reject) => setTimeout(reject, LOADING, "it does not arrive"));

/**
 * @param {unknown} cause
 * @returns {never}
 */
function notLoaded(cause) {
  throw Object.assign(new Error(`the engine could not be loaded: ${cause}`), { code: "not-loaded" });
}

/**
 * The engine is there but does not run: it was refused, or memory is short.
 * @param {any} cause
 * @returns {never}
 */
function notRunning(cause) {
  throw cause?.code ? cause : Object.assign(new Error(`the engine does not run: ${cause}`), { code: "no-engine" });
}

/** @param {URL} url */
async function compile(url) {
  const response = await fetch(url).catch(notLoaded);
  if (!response.ok) notLoaded(response.status);
  // Why it could not be streamed is not told: the line may have broken, a proxy may have lost the media type.
  return WebAssembly.compileStreaming(response).catch(() => compileWhole(url));
}

/**
 * Takes none of what the browser may have kept of the first try. Firefox takes half an answer for a whole one.
 * @param {URL} url
 */
async function compileWhole(url) {
  const response = await fetch(url, { cache: "reload" }).catch(notLoaded);
  if (!response.ok) notLoaded(response.status);
  const bytes = await response.arrayBuffer().catch(notLoaded);
  return WebAssembly.compile(bytes).catch((e) => (WebAssembly.validate(bytes) ? notRunning : notLoaded)(e));
}

/**
 * Wraps target so that its functions throw the Errors that they return, and so that the objects they return do the same.
 * @template {object} T
 * @param {T} target
 * @param {() => void} check throws if the engine has ended
 * @returns {T}
 */
function throwing(target, check) {
  return new Proxy(target, {
    get(object, property) {
      const value = Reflect.get(object, property);
      if (typeof value !== "function") return value;
      return (/** @type {unknown[]} */ ...args) => {
        const result = value.apply(object, args);
        check();
        if (result instanceof Error) throw result;
        return isObjectOfFunctions(result) ? throwing(result, check) : result;
      };
    },
  });
}

/**
 * Has the engine work on bytes.
 * @param {Engine} engine
 * @param {Buffers} buffers where they go
 * @param {Uint8Array} bytes
 * @param {() => number} work returns how many bytes it made of them
 * @returns {Uint8Array<ArrayBuffer>} these, where they are: only until the next time
 */
export function have(engine, buffers, bytes, work) {
  new Uint8Array(engine.memory.buffer, buffers.in, bytes.length).set(bytes);
  const n = work();
  return new Uint8Array(/** @type {ArrayBuffer} */ (engine.memory.buffer), buffers.out, n);
}

/** @param {unknown} value */
function isObjectOfFunctions(value) {
  return typeof value === "object" && value !== null && typeof (/** @type {any} */ (value).close) === "function";
}
