// @ts-check
// Go instances, one request at a time in each; main.go tells why.
import "./build/go/wasm_exec.js";
import { createRuntimeContext, loadModule } from "./build/go/runtime.mjs";

const MAX_LIVE = 8; // of 13 MiB each, in an isolate of 128 MB
const MAX_USES = 10_000; // in case something leaks
const PATIENCE = 5_000; // ms that a request waits for an instance
const WAKE = 50; // ms after which one who waits looks for himself
const GIVEN_UP = 30_000; // ms after which an instance that was lent will not come back
const SWEEPING = 15 * 60_000; // the same for cron triggers, which the platform ends then

/** There is no instance to be had. */
export class Busy extends Error {}

/**
 * @typedef {{handleRequest(question: object): unknown, runScheduler(event: object): Promise<void>}} Go
 * @typedef {{runtime: {env: object, ctx: object, binding: Go}, uses: number, until: number, ended: (error: Error) => void}} Instance
 */

/** @type {Instance[]} */
const idle = [];
/** @type {Set<Instance | object>} idle, lent and starting ones */
const live = new Set();
/** @type {Set<() => void>} */
const waiters = new Set();

// The library calls this from Go.
globalThis.tryCatch = (/** @type {() => unknown} */ fn) => {
  try {
    return { result: fn() };
  } catch (error) {
    return { error };
  }
};

/**
 * Lends a Go instance to a call. The caller sees to it that the call runs to its end even if the client hangs up, so that the
 * instance comes back.
 * @template T
 * @param {object} env bindings as Go sees them
 * @param {ExecutionContext} ctx
 * @param {(go: Go) => Promise<T>} call
 * @param {boolean} [sweeps]
 * @returns {Promise<T>}
 */
export async function withGo(env, ctx, call, sweeps = false) {
  const instance = await acquire(env);
  // The library reads these at each call.
  instance.runtime.env = env;
  instance.runtime.ctx = ctx;
  instance.uses++;
  instance.until = Date.now() + (sweeps ? SWEEPING : GIVEN_UP);
  let whole = false;
  try {
    const result = await new Promise((/** @type {(result: T) => void} */ resolve, reject) => {
      instance.ended = reject; // and no race with a promise of the instance's, which would keep every answer as long as it lives
      call(instance.runtime.binding).then(resolve, reject);
    });
    whole = true;
    return result;
  } finally {
    release(instance, whole && instance.uses < MAX_USES);
  }
}

/** @param {object} env @returns {Promise<Instance>} */
async function acquire(env) {
  for (const deadline = Date.now() + PATIENCE; ; ) {
    const instance = idle.pop();
    if (instance) return instance;
    giveUp();
    if (live.size < MAX_LIVE) return start(env);
    if (Date.now() >= deadline) throw new Busy("no instance is free");
    await turn();
  }
}

// Waits until an instance may be free. The timer is one's own: who waited for nothing but another request would be taken for
// hung, and that one may be cancelled.
async function turn() {
  let wake = () => {};
  const woken = new Promise((/** @type {(v?: unknown) => void} */ resolve) => (wake = resolve));
  waiters.add(wake);
  await Promise.race([woken, scheduler.wait(WAKE)]);
  waiters.delete(wake);
}

/** @param {Instance} instance @param {boolean} good */
function release(instance, good) {
  if (good && live.has(instance)) idle.push(instance);
  else live.delete(instance);
  for (const wake of waiters) {
    waiters.delete(wake);
    return wake();
  }
}

function giveUp() {
  for (const instance of live) {
    if ("until" in instance && !idle.includes(instance) && Number(instance.until) < Date.now()) live.delete(instance);
  }
}

/** @param {object} env @returns {Promise<Instance>} */
async function start(env) {
  const place = { until: Date.now() + GIVEN_UP };
  live.add(place);
  try {
    const instance = await run(env);
    live.add(instance);
    return instance;
  } finally {
    live.delete(place);
  }
}

/** @param {object} env @returns {Promise<Instance>} */
async function run(env) {
  const runtime = createRuntimeContext({ env, ctx: {}, binding: {} });
  const go = new Go();
  let ready = () => {};
  const started = new Promise((/** @type {(v?: unknown) => void} */ resolve) => (ready = resolve));
  const instance = new WebAssembly.Instance(await loadModule(), { ...go.importObject, workers: { ready: () => ready() } });
  /** @type {Instance} */
  const lent = { runtime, uses: 0, until: Infinity, ended: () => {} };
  const exited = new Promise((_, reject) => (lent.ended = reject));
  const end = (/** @type {unknown} */ cause) => lent.ended(new Error("the Go instance has ended", { cause }));
  go.run(instance, runtime).then(end, end);
  await Promise.race([started, exited]);
  return lent;
}
