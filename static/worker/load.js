// @ts-check
// Loads the engine (bin/engine.wasm) into this worker. Go cannot throw across the border, so its exports return Errors;
// here they become throws, which is what engine.d.ts promises.

/**
 * Resolves to the engine, started.
 * @returns {Promise<import("./engine.d.ts").Engine>}
 */
export async function loadEngine() {
  await import(new URL("../bin/wasm_exec.js", import.meta.url).href).catch(notLoaded);
  const go = new Go();
  const instance = await instantiate(new URL("../bin/engine.wasm", import.meta.url), go.importObject).catch(notRunning);
  go.run(instance); // settles only when the engine ends, which it never should
  if (!globalThis.sealpost) notRunning("it did not start");
  return throwing(globalThis.sealpost, () => go.exited && notRunning("it has ended"));
}

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

/**
 * @param {URL} url
 * @param {WebAssembly.Imports} imports
 */
async function instantiate(url, imports) {
  const response = await fetch(url).catch(notLoaded);
  if (!response.ok) notLoaded(response.status);
  // A proxy may have lost the media type that streaming needs.
  if (response.headers.get("Content-Type") !== "application/wasm") {
    return (await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance;
  }
  return (await WebAssembly.instantiateStreaming(response, imports)).instance;
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

/** @param {unknown} value */
function isObjectOfFunctions(value) {
  return typeof value === "object" && value !== null && typeof (/** @type {any} */ (value).close) === "function";
}
