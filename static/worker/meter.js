// @ts-check
// How far a transfer has come, in plain bytes: what pieces that have come through stand for, and what stands for the share of
// those under way that has moved. Of these some may get lost and move again, so that moved can go back; settled cannot.

export class Meter {
  /** Plain bytes of the pieces that have come through. */
  settled = 0;
  /** @type {Set<{gain: number, share: number}>} */
  #pieces = new Set();

  /** @param {() => void} changed is called when something has moved */
  constructor(changed) {
    this.changed = changed;
  }

  get moved() {
    let sum = this.settled;
    for (const { gain, share } of this.#pieces) sum += gain * share;
    return sum;
  }

  /** Whether pieces are under way. */
  get busy() {
    return this.#pieces.size > 0;
  }

  /**
   * A piece of size bytes that is about to travel and stands for gain plain bytes.
   * @param {number} size
   * @param {number} gain
   */
  piece(size, gain) {
    const piece = { gain, share: 0 };
    this.#pieces.add(piece);
    return {
      /** @param {number} bytes */
      moved: (bytes) => {
        piece.share = Math.min(1, bytes / size); // what is counted may include more than the bytes
        this.changed();
      },
      settle: () => {
        this.#pieces.delete(piece);
        this.settled += gain;
        this.changed();
      },
    };
  }
}

const NEWS_EVERY = 100; // milliseconds

/**
 * Passes news on, ten times a second at most, and always the last.
 * @template N
 * @param {(n: N) => void} news
 * @returns {(n: N) => void}
 */
export function throttled(news) {
  let next = 0, waiting = false;
  /** @type {N} */
  let latest;
  const pass = () => {
    waiting = false;
    next = performance.now() + NEWS_EVERY;
    news(latest);
  };
  return (n) => {
    latest = n;
    if (waiting) return;
    const wait = next - performance.now();
    if (wait <= 0) return pass();
    waiting = true;
    setTimeout(pass, wait);
  };
}
