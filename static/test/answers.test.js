// @ts-check
// What cannot be is not believed: neither sizes that would fill the memory, nor lists that would never end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkParts, checkShare, readManifest } from "../worker/answers.js";

const share = { id: "AAAAAAAAAAAAAAAA", state: "open", size: 100, partSize: 10, parts: 0, now: 1, created: 1, expires: 2, lifetime: 3, left: null };
const parts = { state: "open", size: 100, partSize: 10, manifest: true, count: 3, ranges: [[1, 2], [4, 4]] };

/** @type {[string, (answer: any) => object, object][]} */
const checks = [["share", checkShare, share], ["parts", checkParts, parts]];
for (const [what, check, honest] of checks) {
  test(`${what}: what is honest passes, and garbage does not`, () => {
    assert.equal(check(honest), honest);
    assert.ok(check({ ...honest, state: "ready", size: 2 ** 38, partSize: 2 ** 26 }), "as large as shares may be");
    const sizes = [undefined, null, "100", NaN, Infinity, 0, -1, 1.5, 2 ** 53, 2 ** 60, {}, []];
    const garbage = [null, undefined, 7, "ready", [], ...[...sizes, 41_000].map((size) => ({ ...honest, size })),
      ...[...sizes, 2 ** 30].map((partSize) => ({ ...honest, partSize })), { ...honest, state: "gone" }];
    for (const answer of garbage) assert.throws(() => check(answer), { code: "garbled" }, JSON.stringify(answer));
  });
}

test("share: times are times", () => {
  for (const name of ["now", "expires", "lifetime"]) {
    for (const value of [null, "1", NaN, -1, 2 ** 60]) {
      assert.throws(() => checkShare(/** @type {any} */ ({ ...share, [name]: value })), { code: "garbled" });
    }
  }
});

test("parts: ranges ascend, and are as many as there can be", () => {
  const garbage = [null, {}, [1], [[]], [[0, 1]], [[2, 1]], [[1, 3], [3, 3]], [[4, 4], [1, 2]], [[1, 4097]], [[1, 2 ** 53]], [[1, Infinity]],
    [["1", "3"]], [[1, 2]]];
  for (const ranges of garbage) {
    assert.throws(() => checkParts(/** @type {any} */ ({ ...parts, ranges })), { code: "garbled" }, JSON.stringify(ranges));
  }
  assert.throws(() => checkParts(/** @type {any} */ ({ ...parts, manifest: 1 })), { code: "garbled" });
});

/**
 * An answer in pieces, and how many of them were read.
 * @param {Iterator<Uint8Array<ArrayBuffer>>} pieces
 */
function answer(pieces) {
  const told = { read: 0 };
  const body = new ReadableStream({
    pull(controller) {
      const { value, done } = pieces.next();
      if (done) return controller.close();
      told.read++;
      controller.enqueue(value);
    },
  });
  return Object.assign(told, { response: new Response(body) });
}

test("a manifest is heard of while it arrives", async () => {
  /** @type {number[]} */
  const heard = [];
  const { response } = answer([new Uint8Array([1, 2]), new Uint8Array([3])].values());
  assert.deepEqual([...(await readManifest(response, (n) => heard.push(n)))], [1, 2, 3]);
  assert.deepEqual(heard, [2, 3]);
  assert.equal((await readManifest(new Response(null), () => {})).length, 0);
});

test("a manifest without an end is not read to it", { timeout: 20_000 }, async () => {
  const piece = new Uint8Array(1 << 20);
  const told = answer((function* () {
    for (;;) yield piece;
  })());
  await assert.rejects(readManifest(told.response, () => {}));
  assert.ok(told.read < 30, `${told.read} MiB were read`);
});
