// @ts-check
// The worker's end of js/remote.js.

/** What a method returns to have buffers handed over rather than copied. */
export class Handover {
  /**
   * @param {unknown} value
   * @param {Transferable[]} transfer
   */
  constructor(value, transfer) {
    this.value = value;
    this.transfer = transfer;
  }
}

/**
 * Answers the page's calls with methods, each of which also gets a function that sends news.
 * @param {Record<string, (news: (n: object) => void, ...args: any[]) => unknown>} methods
 */
export function serve(methods) {
  const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  worker.onmessage = async ({ data: { id, method, args } }) => {
    try {
      const value = await methods[method]((news) => worker.postMessage({ id, type: "news", value: news }), ...args);
      const { value: result, transfer } = value instanceof Handover ? value : new Handover(value, []);
      worker.postMessage({ id, type: "value", value: result }, transfer);
    } catch (e) {
      worker.postMessage({ id, type: "error", error: plain(e) });
    }
  };
  worker.postMessage({ type: "loaded" });
}

/**
 * An error's own members: structured clones of Errors lose them.
 * @param {any} e
 */
function plain(e) {
  return {
    name: String(e?.name ?? "Error"),
    message: String(e?.message ?? e),
    code: e?.code === undefined || typeof e.code === "number" ? undefined : String(e.code),
    file: e?.file,
    left: e?.left,
    triesLeft: e?.triesLeft,
    retryAfter: e?.retryAfter,
  };
}
