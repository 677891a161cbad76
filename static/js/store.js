// @ts-check
// A page's state: one object, replaced piecemeal, and an event when it was.

/**
 * @template {object} T
 * @extends {EventTarget}
 */
export class Store extends EventTarget {
  #value;

  /** @param {T} initial */
  constructor(initial) {
    super();
    this.#value = Object.freeze({ ...initial });
  }

  get value() {
    return this.#value;
  }

  /** @param {Partial<T>} change */
  set(change) {
    const old = this.#value;
    this.#value = Object.freeze({ ...old, ...change });
    this.dispatchEvent(new CustomEvent("change", { detail: old }));
  }

  /** @param {(now: Readonly<T>, old: Readonly<T>) => void} listener */
  onchange(listener) {
    this.addEventListener("change", (e) => listener(this.#value, /** @type {CustomEvent} */ (e).detail));
    listener(this.#value, this.#value);
  }
}
