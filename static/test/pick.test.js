// @ts-check
// What is taken out of a bundle is what tar reads as the same files.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pickEntry, pickFolder, portions } from "../js/pick.js";

const SIZES = { "a/one": 700, "b/two": 0, "a/three": 512, "a/four": 513, "c/five": 10 };

/** A tar as senders make it, and its manifest. */
function bundle() {
  const dir = mkdtempSync(join(tmpdir(), "pick-"));
  try {
    execFileSync("mkdir", ["a", "b", "c"], { cwd: dir });
    for (const [name, size] of Object.entries(SIZES)) writeFileSync(join(dir, name), name[2].repeat(size));
    execFileSync("tar", ["--format=ustar", "-b2", "-cf", "all.tar", ...Object.keys(SIZES)], { cwd: dir });
    const tar = readFileSync(join(dir, "all.tar"));
    let at = 0;
    const entries = Object.entries(SIZES).map(([name, size]) => {
      const offset = at + 512;
      at = offset + Math.ceil(size / 512) * 512;
      return { name, size, offset, type: "", modified: 0, directory: false };
    });
    return { tar, manifest: /** @type {any} */ ({ entries, size: at + 1024 }) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("a folder is a tar of what is in it", () => {
  const { tar, manifest } = bundle();
  const list = (/** @type {number[]} */ indices) => {
    const { size, ranges, zeros, name } = pickFolder(manifest, indices, "a.tar");
    const bytes = Buffer.concat([...ranges.map(([from, to]) => tar.subarray(from, to)), Buffer.alloc(zeros)]);
    assert.equal(bytes.length, size);
    assert.equal(name, "a.tar");
    return { ranges: ranges.length, listed: execFileSync("tar", ["-tv", "-f", "-"], { input: bytes, encoding: "utf8" }).trim().split("\n").map((line) => line.split(/\s+/)).map((w) => `${w[5]} ${w[2]}`) };
  };
  assert.deepEqual(list([3, 0, 2]), { ranges: 2, listed: ["a/one 700", "a/three 512", "a/four 513"] });
  assert.deepEqual(list([4]), { ranges: 1, listed: ["c/five 10"] });
  assert.deepEqual(list([0, 1, 2, 3, 4]), { ranges: 1, listed: Object.entries(SIZES).map(([name, size]) => `${name} ${size}`) });
});

test("an entry is its bytes", () => {
  const { tar, manifest } = bundle();
  const { ranges: [[from, to]], size, zeros } = pickEntry(manifest, 2);
  assert.equal(tar.subarray(from, to).toString(), "t".repeat(512));
  assert.deepEqual([size, zeros], [512, 0]);
  assert.deepEqual(pickEntry(manifest, 1).ranges, []);
});

test("portions end on borders, and have what is between two", () => {
  const cut = (/** @type {[number, number][]} */ ...ranges) => [...portions(ranges, 10)];
  assert.deepEqual(cut(), []);
  assert.deepEqual(cut([0, 10]), [[[0, 10]]]);
  assert.deepEqual(cut([3, 25]), [[[3, 10]], [[10, 20]], [[20, 25]]]);
  assert.deepEqual(cut([1, 2], [4, 12], [19, 20], [20, 21], [90, 91]), [[[1, 2], [4, 10]], [[10, 12], [19, 20]], [[20, 21]], [[90, 91]]]);
});
