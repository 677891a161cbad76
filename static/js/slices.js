// @ts-check
// Long work in short slices, between which the page paints and hears: a hundred thousand names take seconds to be put in order, and
// a page that stands still for a quarter of one feels broken. (Another worker would have to be sent all of them first, which takes
// as long as a slice may not.)

/** @typedef {ReturnType<typeof slices>} Step */

const SLICE = 12; // milliseconds
const OFTEN = 256; // steps between two looks at the clock

/**
 * A function to be called between steps, as often as one likes, with how many they were: what it returns is to be awaited, if it is
 * something.
 * @param {AbortSignal} signal ends the work by throwing
 * @returns {(steps?: number) => Promise<void> | undefined}
 */
export function slices(signal) {
  let left = OFTEN, until = performance.now() + SLICE;
  const rest = async () => {
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    until = performance.now() + SLICE;
  };
  return (steps = 1) => {
    left -= steps;
    if (left > 0) return;
    left = OFTEN;
    return performance.now() > until ? rest() : undefined;
  };
}

const BLOCK = 128; // of which as many as are sorted at once

/**
 * Returns the list in order. What is equal keeps its order.
 * @template T
 * @param {T[]} list
 * @param {(a: T, b: T) => number} compare
 * @param {Step} step
 * @returns {Promise<T[]>}
 */
export async function sorted(list, compare, step) {
  let runs = [];
  for (let a = 0; a < list.length; a += BLOCK) {
    runs.push(list.slice(a, a + BLOCK).sort(compare));
    await step(4 * BLOCK); // comparisons, about
  }
  while (runs.length > 1) {
    const longer = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(i + 1 < runs.length ? await merged(runs[i], runs[i + 1], compare, step) : runs[i]);
    runs = longer;
  }
  return runs[0] ?? [];
}

/**
 * @template T
 * @param {T[]} a
 * @param {T[]} b
 * @param {(a: T, b: T) => number} compare
 * @param {Step} step
 */
async function merged(a, b, compare, step) {
  if (compare(a[a.length - 1], b[0]) <= 0) return a.concat(b); // it was in order already
  const all = [];
  for (let i = 0, k = 0; i < a.length || k < b.length; ) {
    all.push(k === b.length || (i < a.length && compare(a[i], b[k]) <= 0) ? a[i++] : b[k++]);
    const rest = step();
    if (rest) await rest;
  }
  return all;
}
