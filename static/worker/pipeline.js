// @ts-check
// Doing a few things at once without losing order or memory.

/**
 * Runs tasks with up to limit of them begun and not yet taken, and yields their results in order, each as soon as it is there.
 * @template T
 * @param {number} limit
 * @param {Iterable<() => Promise<T>> | AsyncIterable<() => Promise<T>>} tasks
 * @returns {AsyncGenerator<T, void, void>}
 */
export async function* ahead(limit, tasks) {
  const source = Symbol.asyncIterator in tasks ? tasks[Symbol.asyncIterator]() : tasks[Symbol.iterator]();
  /** @type {Promise<T>[]} */
  const begun = [];
  /** @type {Promise<IteratorResult<() => Promise<T>>> | null} */
  let coming = null;
  let ended = false;
  try {
    while (!ended || begun.length) {
      if (!ended && begun.length < limit) {
        coming ??= next(source);
        const task = await Promise.race([coming, ...begun.slice(0, 1).map((first) => first.then(() => null, () => null))]);
        if (task) {
          coming = null;
          if (task.done) {
            ended = true;
          } else {
            const promise = task.value();
            promise.catch(() => {}); // reported when its turn comes, unless an earlier one failed
            begun.push(promise);
          }
          continue;
        }
      }
      yield await /** @type {Promise<T>} */ (begun.shift());
    }
  } finally {
    if (!ended) Promise.resolve(source.return?.()).catch(() => {}); // not awaited: it ends when what it waits for does
  }
}

/**
 * The next task; one that fails, where the source does.
 * @template T
 * @param {Iterator<() => Promise<T>> | AsyncIterator<() => Promise<T>>} source
 * @returns {Promise<IteratorResult<() => Promise<T>>>}
 */
async function next(source) {
  try {
    return await source.next();
  } catch (e) {
    return { done: false, value: () => Promise.reject(e) };
  }
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
