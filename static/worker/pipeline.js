// @ts-check
// Doing a few things at once without losing order or memory.

/**
 * Runs tasks with up to limit of them begun and not yet taken, and yields their results in order.
 * @template T
 * @param {number} limit
 * @param {Iterable<() => Promise<T>>} tasks
 * @returns {AsyncGenerator<T, void, void>}
 */
export async function* ahead(limit, tasks) {
  /** @type {Promise<T>[]} */
  const begun = [];
  for (const task of tasks) {
    const promise = task();
    promise.catch(() => {}); // reported when its turn comes, unless an earlier one failed
    begun.push(promise);
    if (begun.length >= limit) yield await /** @type {Promise<T>} */ (begun.shift());
  }
  for (const promise of begun) yield await promise;
}

/** Runs tasks in a fixed number of lanes; a caller waits for a free one, and so memory stays bounded. */
export class Lanes {
  #free;
  /** @type {Set<Promise<void>>} */
  #running = new Set();
  /** @type {{error: unknown} | null} */
  #failure = null;

  /** @param {number} count */
  constructor(count) {
    this.#free = count;
  }

  /**
   * Begins task as soon as a lane is free. Throws what an earlier task threw.
   * @param {() => Promise<void>} task
   */
  async run(task) {
    while (this.#free === 0 && !this.#failure) await Promise.race(this.#running);
    this.#check();
    this.#free--;
    const running = task()
      .catch((error) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#free++;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Waits until every lane is empty. Throws what a task threw. */
  async idle() {
    await Promise.all(this.#running);
    this.#check();
  }

  #check() {
    if (this.#failure) throw this.#failure.error;
  }
}
