// @ts-check
// The gate through which a transfer passes, and which a person can shut for a while.

export class Gate {
  /** @type {PromiseWithResolvers<void> | null} */
  #shut = null;
  #stop = new AbortController();

  /** Interrupts what is on its way and lets nothing through. */
  shut() {
    this.#shut ??= Promise.withResolvers();
    this.#stop.abort();
  }

  open() {
    this.#stop = new AbortController();
    this.#shut?.resolve();
    this.#shut = null;
  }

  /**
   * Makes a request as soon as the gate is open, and the same again if shutting it has interrupted the request.
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} request
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async pass(request, signal) {
    for (;;) {
      while (this.#shut) await unlessAborted(this.#shut.promise, signal);
      signal.throwIfAborted();
      const stop = this.#stop.signal;
      try {
        return await request(AbortSignal.any([signal, stop]));
      } catch (e) {
        if (signal.aborted || !stop.aborted) throw e;
      }
    }
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export function unlessAborted(promise, signal) {
  const over = new AbortController();
  /** @type {Promise<never>} */
  const aborted = new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
  });
  return Promise.race([promise, aborted]).finally(() => over.abort());
}
