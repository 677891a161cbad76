// @ts-check
// A password of words that a person can write down, spell and say on the telephone; and what it is worth.
//
// What words are worth is known for those that were drawn here, and for no other password: n out of m are n · log2(m) bits, also for
// whoever has the list. How long guessing them takes is told for somebody who has the link and what the server keeps, so that nobody
// counts the tries. Each try is Argon2id of 64 MiB in 3 passes (wasm/internal/link), which moves half a gigabyte through memory:
// the fastest graphics cards of 2026, at 1 TB/s and more, make 2,000 tries a second or a few. RATE is that of 50,000 of them.

const WORDS = 6;
const RATE = 1e8; // tries per second
const YEAR = 365.25 * 86400; // seconds

/**
 * The words of a list, which has one on each line, and lines that begin with # about it.
 * @param {string} text
 */
export const wordsOf = (text) => text.split("\n").filter((line) => line && !line.startsWith("#"));

/**
 * Draws a number below n, each with the same chance: what is above the last multiple of n is drawn again.
 * @param {number} n
 * @param {(a: Uint32Array<ArrayBuffer>) => unknown} fill with random bits
 */
function below(n, fill) {
  const draw = new Uint32Array(1);
  const end = 2 ** 32 - (2 ** 32 % n);
  do fill(draw);
  while (draw[0] >= end);
  return draw[0] % n;
}

/**
 * Draws a phrase. The hyphens are told from words on the telephone, and stay when a mail breaks its lines.
 * @param {string[]} list
 * @param {(a: Uint32Array<ArrayBuffer>) => unknown} [fill]
 */
export const drawPhrase = (list, fill = (a) => crypto.getRandomValues(a)) =>
  Array.from({ length: WORDS }, () => list[below(list.length, fill)]).join("-");

/**
 * What a phrase out of so many words is worth. Of the years it takes half of all tries to find it, only the first digit is told.
 * @param {number} m
 */
export function worth(m) {
  const exact = m ** WORDS / 2 / RATE / YEAR;
  const digit = 10 ** Math.floor(Math.log10(exact));
  return { n: WORDS, m, bits: Math.floor(WORDS * Math.log2(m)), years: Math.floor(exact / digit) * digit };
}
