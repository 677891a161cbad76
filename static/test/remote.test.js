// @ts-check
// Workers that do not come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Remote } from "../js/remote.js";

/** A worker of which nothing is heard but what the test says. */
class Silent {
  /** @type {Silent[]} */
  static started = [];
  ended = false;
  onmessage = (/** @type {{data: unknown}} */ _) => {};
  constructor() {
    Silent.started.push(this);
  }
  postMessage() {}
  terminate() {
    this.ended = true;
  }
}

test("a worker that does not arrive fails what was asked of it, and the next call starts another", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { Worker: Silent, location: new URL("https://post.example/") });
  Silent.started = [];
  const remote = new Remote(new URL("https://post.example/worker.js"));
  const call = assert.rejects(remote.call("method", []), { code: "not-loaded" });
  t.mock.timers.tick(60_000);
  await call;
  assert.ok(Silent.started[0].ended);
  const again = remote.call("method", []);
  Silent.started[1].onmessage({ data: { type: "loaded" } });
  t.mock.timers.tick(3_600_000); // what it does may take as long as it likes
  Silent.started[1].onmessage({ data: { id: 1, type: "value", value: 7 } });
  assert.equal(await again, 7);
});

test("a worker that was ended while it was loading is not told to have failed again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { Worker: Silent, location: new URL("https://post.example/") });
  let failed = 0;
  const remote = new Remote(new URL("https://post.example/worker.js"), () => failed++);
  remote.terminate();
  t.mock.timers.tick(60_000);
  assert.equal(failed, 1);
});
