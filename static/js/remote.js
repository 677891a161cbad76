// @ts-check
// Calls from the page, or from a worker, to a worker: a promise for each call, news in between.

import { scriptURL } from "./trusted.js";

// A worker in which a piece is missing, or the engine has ended, stays as it is: another has to be started.
const BROKEN = new Set(["not-loaded", "no-engine"]);

const LOADING = 60_000; // milliseconds: a line that is dead says so to nobody

/** An error event without a message says that a script did not arrive. */
const notLoaded = () => Object.assign(new Error("the worker could not be loaded"), { code: "not-loaded" });

/** @param {string} message what a worker threw outside of a call, after which nobody knows what it is good for */
const broken = (message) => Object.assign(new Error(message), { code: "no-engine" });

/** A module worker whose methods (worker/serve.js) can be called. After it has broken the next call starts another. */
export class Remote {
  /** @type {Map<number, {resolve: (v: any) => void, reject: (e: Error) => void, news: (n: any) => void}>} */
  #calls = new Map();
  #next = 0;
  #url;
  #failed;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #loading;
  /** @type {Worker | null} */
  #worker;

  /**
   * @param {URL} url
   * @param {(e: Error) => void} [failed] is told when the worker has ended, or cannot go on
   */
  constructor(url, failed = () => {}) {
    this.#url = url;
    this.#failed = failed;
    this.#worker = this.#start();
  }

  #start() {
    const worker = new Worker(scriptURL(this.#url), { type: "module" });
    this.#loading = setTimeout(() => this.#fail(notLoaded()), LOADING);
    worker.onmessage = ({ data }) => {
      clearTimeout(this.#loading); // it has said something
      this.#settle(data);
    };
    worker.onerror = (e) => {
      e.preventDefault(); // in a worker it would end that one, too
      this.#fail(e.message ? broken(e.message) : notLoaded());
    };
    return worker;
  }

  /**
   * Calls method with args. news hears what the method reports before it returns.
   * @param {string} method
   * @param {unknown[]} args
   * @param {{news?: (n: any) => void, transfer?: Transferable[]}} [o]
   * @returns {Promise<any>}
   */
  call(method, args, { news = () => {}, transfer = [] } = {}) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, news });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, method, args }, transfer);
    });
  }

  /**
   * Ends the worker; calls under way are rejected.
   * @param {Error} [reason]
   */
  terminate(reason = new Error("terminated")) {
    this.#fail(reason);
  }

  /** @param {{id: number, type: string, value?: any, error?: any}} m */
  #settle(m) {
    const call = this.#calls.get(m.id);
    if (!call) return;
    if (m.type === "news") return call.news(m.value);
    this.#calls.delete(m.id);
    if (m.type === "value") call.resolve(m.value);
    else call.reject(Object.assign(new Error(m.error.message), m.error));
    if (m.type === "error" && BROKEN.has(m.error.code)) this.#fail(Object.assign(new Error(m.error.message), m.error));
  }

  /** @param {Error} e */
  #fail(e) {
    for (const call of this.#calls.values()) call.reject(e);
    this.#calls.clear();
    clearTimeout(this.#loading);
    this.#worker?.terminate();
    this.#worker = null;
    this.#failed(e);
  }
}
