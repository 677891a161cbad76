// @ts-check
// A crew that was gathered for much to do goes when there is little.

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {Set<object>} */
const alive = new Set();

globalThis.Worker = /** @type {any} */ (class {
  constructor() {
    alive.add(this);
  }

  postMessage() {}

  terminate() {
    alive.delete(this);
  }
});
Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: 4 } });
globalThis.trustedTypes = /** @type {any} */ ({ createPolicy: () => ({ createScriptURL: String }) });
const { Crew } = await import("../worker/crew.js");
const loaded = /** @type {any} */ ({});

test("a crew is there before it is asked for, and gone when it is not wanted any more", () => {
  Crew.prepare(loaded, 1000);
  assert.equal(alive.size, 4);
  const was = [...alive];
  Crew.prepare(loaded, 2000);
  assert.deepEqual([...alive], was, "it serves for any size");
  Crew.prepare(loaded, 0);
  assert.equal(alive.size, 0);
  Crew.prepare(loaded, 20);
  assert.equal(alive.size, 0, "nobody notices how long that takes");
});

test("it serves once", () => {
  Crew.prepare(loaded, 1000);
  const crew = Crew.of(loaded, 1000);
  assert.equal(alive.size, 4);
  crew.end();
  assert.equal(alive.size, 0);
  Crew.of(loaded, 1000);
  assert.equal(alive.size, 0, "another is hired job by job");
});
