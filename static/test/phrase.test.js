// @ts-check
// Words for a password: each with the same chance, from the list as it is published, and worth what is said.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drawPhrase, wordsOf, worth } from "../js/phrase.js";

const text = readFileSync(new URL("../words/en.txt", import.meta.url), "utf8");
const list = wordsOf(text);

test("the list is whole, tells where it is from, and can be dictated", () => {
  assert.equal(list.length, 1296);
  assert.equal(new Set(list.map((word) => word.slice(0, 3))).size, list.length, "words that begin alike");
  for (const word of list) assert.match(word, /^[a-z]+(-[a-z]+)?$/);
  assert.deepEqual([list[0], list[1295]], ["aardvark", "zucchini"]);
  assert.match(text, /Electronic Frontier Foundation[^]*CC BY 3\.0 US/);
});

/** @param {number[]} values what the generator gives, one after the other */
const generator = (...values) => {
  const used = [...values];
  const fill = (/** @type {Uint32Array} */ a) => {
    const next = used.shift();
    assert.notEqual(next, undefined, "more was drawn");
    a[0] = /** @type {number} */ (next);
  };
  return { fill, used };
};

test("words are those that were drawn", () => {
  const { fill, used } = generator(0, 1295, 1296, 7, 7, 2 * 1296 + 5);
  assert.equal(drawPhrase(list, fill), [0, 1295, 0, 7, 7, 5].map((i) => list[i]).join("-"));
  assert.equal(used.length, 0);
});

test("what would make some words likelier is drawn again", () => {
  const over = 2 ** 32 % 1296; // values at the top that are no whole round
  assert.ok(over > 0);
  const end = 2 ** 32 - over;
  const { fill, used } = generator(end, 2 ** 32 - 1, end - 1, 3, end + 1, 3, 3, 3, 3);
  assert.equal(drawPhrase(list, fill), [1295, 3, 3, 3, 3, 3].map((i) => list[i]).join("-"));
  assert.equal(used.length, 0);
});

test("each word is drawn about as often as another", () => {
  const few = ["a", "b", "c", "d", "e", "f", "g"];
  const counts = new Map(few.map((word) => [word, 0]));
  const draws = 10_000;
  for (let i = 0; i < draws; i++) for (const word of drawPhrase(few).split("-")) counts.set(word, (counts.get(word) ?? 0) + 1);
  const expected = (draws * 6) / few.length;
  const chi = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  assert.ok(chi < 40, `chi-squared is ${chi}, of 6 degrees of freedom`); // by chance once in two million runs
  assert.equal(counts.size, few.length);
});

test("two phrases are not the same", () => assert.notEqual(drawPhrase(list), drawPhrase(list)));

test("what is said of the worth is not too much", () => {
  const { n, m, bits, years } = worth(list.length);
  assert.deepEqual([n, m], [6, 1296]);
  assert.equal(bits, 62);
  const tries = years * 365.25 * 86400 * 1e8;
  assert.ok(tries <= 1296 ** 6 / 2, "as many tries are more than half of all");
  assert.ok(tries > 1296 ** 6 / 4);
  assert.equal(years, 700);
});
