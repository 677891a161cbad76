// @ts-check
// What is written into the file of one browser's links is what another takes, and nothing else is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { read, write } from "../js/backup.js";

/** @import { Keepsake } from "../js/types.d.ts" */

const NOW = 1_000_000_000_000;
const ORIGIN = "https://post.example";
const isFragment = (/** @type {string} */ fragment) => (fragment[0] === "E" ? fragment[1] === "Q" : null);
const from = { site: ORIGIN, now: NOW, isFragment };

/** @type {Keepsake} */
const keepsake = {
  id: "AAAAAAAAAAAAAAA_", fragment: `EA${"a".repeat(42)}`, owner: "o".repeat(43), password: false, kind: "tar", names: ["a <b>", "c/"], more: 3, files: 9,
  size: 1e12, created: NOW - 5, expires: NOW + 5, lifetime: 3600, maxDownloads: 5, taken: 2, state: "ready", seen: NOW - 1, gone: "",
};
const text = write([keepsake], ORIGIN, NOW);

test("what is written is read again, and what is gone is not written", () => {
  assert.deepEqual(read(text, from), { keepsakes: [keepsake], expired: 0, refused: 0 });
  const note = { ...keepsake, id: "B".repeat(16), kind: /** @type {const} */ ("note"), names: [], more: 0, files: 0, password: true, fragment: `EQ${"a".repeat(42)}` };
  assert.deepEqual(read(write([note, { ...keepsake, state: "gone", gone: "spent" }], ORIGIN, NOW), from).keepsakes, [note]);
  assert.equal(JSON.parse(text).links[0].link, `${ORIGIN}/d/${keepsake.id}#${keepsake.fragment}`);
});

test("what has expired, what comes twice and what is no link is counted and left", () => {
  const links = JSON.parse(text).links;
  const some = { ...JSON.parse(text), links: [links[0], links[0], { ...links[0], link: links[0].link.replace("/d/A", "/d/B"), expires: NOW }, null, 7, "x", [], {}] };
  assert.deepEqual(read(JSON.stringify(some), from), { keepsakes: [keepsake], expired: 1, refused: 6 });
});

test("nothing of another form is taken", () => {
  const whole = JSON.parse(text);
  /** @type {[string, any][]} */
  const changes = [
    ["link", `https://evil.example/d/${keepsake.id}#${keepsake.fragment}`], ["link", `${ORIGIN}.evil.example/d/${keepsake.id}#${keepsake.fragment}`],
    ["link", `${ORIGIN}/d/../api#${keepsake.fragment}`], ["link", `${ORIGIN}/d/${keepsake.id}`], ["link", `${ORIGIN}/d/${keepsake.id}#${keepsake.fragment}a`],
    ["link", `${ORIGIN}/d/${keepsake.id}#XX${"a".repeat(42)}`], ["link", `javascript:alert(1)//${ORIGIN}/d/`], ["link", null], ["link", { length: 3 }],
    ["owner", "short"], ["owner", `${"o".repeat(42)}\n`], ["owner", 7], ["kind", "html"], ["kind", undefined], ["state", "gone"], ["names", "abc"], ["names", []],
    ["names", ["a", "b", "c", "d"]], ["names", [7]], ["names", [""]], ["names", ["x".repeat(5000)]], ["more", -1], ["size", "1"], ["size", 1e300], ["files", null],
    ["expires", 1e15], ["expires", "soon"], ["taken", NaN], ["lifetime", []], ["maxDownloads", undefined], ["created", -1], ["seen", {}],
  ];
  for (const [member, value] of changes) {
    const changed = JSON.stringify({ ...whole, links: [{ ...whole.links[0], [member]: value }] });
    assert.deepEqual(read(changed, from), { keepsakes: [], expired: 0, refused: 1 }, `${member}: ${JSON.stringify(value)}`);
  }
  const more = JSON.stringify({ ...whole, links: [{ ...whole.links[0], id: "x", fragment: "y", gone: "z", password: true, __proto__: { a: 1 }, b: 2 }] });
  assert.deepEqual(read(more, from).keepsakes, [keepsake]);
});

test("a file that is no list of this site is refused as a whole", () => {
  const whole = JSON.parse(text);
  /** @type {[string, string][]} */
  const cases = [
    ["", "not-a-list"], ["[]", "not-a-list"], ["null", "not-a-list"], ["{", "not-a-list"], [JSON.stringify({ ...whole, format: "x" }), "not-a-list"],
    [JSON.stringify({ ...whole, links: {} }), "not-a-list"], [JSON.stringify({ ...whole, version: 2 }), "unsupported"],
    [JSON.stringify({ ...whole, origin: "https://other.example" }), "elsewhere"], [JSON.stringify({ ...whole, origin: undefined }), "elsewhere"],
    [JSON.stringify({ ...whole, links: Array(60_000).fill(0) }), "too-large"],
  ];
  for (const [file, code] of cases) assert.throws(() => read(file, from), { code }, file.slice(0, 80));
});
