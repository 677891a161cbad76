// @ts-check
// What a hoard has is not fetched, what it has not is, and what does not open is fetched after all.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

let quota = 1 << 30;
Object.defineProperty(globalThis, "navigator", { value: { userAgentData: {}, storage: { estimate: async () => ({ quota, usage: 0 }) } } });
const { Hoard } = await import("../worker/hoard.js");
const { Meter } = await import("../worker/meter.js");
const { Source } = await import("../worker/source.js");

/** @typedef {InstanceType<typeof Hoard>} AHoard */
/** @typedef {InstanceType<typeof Source>} ASource */

const PART = 1000;
const SIZE = 4500;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 8)) % 256);
const share = /** @type {any} */ ({ id: "share", size: SIZE, partSize: PART });

/** A private file system of one folder. */
class Folder {
  /** @type {Map<string, number[]>} */
  files = new Map();
  fails = false;

  async getFileHandle(/** @type {string} */ name) {
    const { files } = this;
    if (!files.has(name)) files.set(name, []);
    const bytes = /** @type {number[]} */ (files.get(name));
    let open = true;
    const use = () => assert.ok(open, "the file is closed");
    return {
      getFile: async () => ({ size: bytes.length }),
      createSyncAccessHandle: async () => ({
        read: (/** @type {Uint8Array} */ to, /** @type {{at: number}} */ { at }) => (use(), to.set(bytes.slice(at, at + to.length)), Math.min(to.length, bytes.length - at)),
        write: (/** @type {Uint8Array} */ from, /** @type {{at: number}} */ { at }) => (use(), this.fails ? 0 : (bytes.splice(at, from.length, ...from), from.length)),
        close: () => (open = false),
      }),
    };
  }

  async removeEntry(/** @type {string} */ name) {
    this.files.delete(name);
  }

  async *entries() {
    for (const name of this.files.keys()) yield [name, await this.getFileHandle(name)];
  }
}

/** @type {Folder} */
let folder;
/** What the server was asked for. @type {[number, number][]} */
let asked;

beforeEach(() => {
  folder = new Folder();
  asked = [];
  quota = 1 << 30;
  globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ url, /** @type {any} */ { headers }) => {
    const n = Number(url.split("/").at(-1)) - 1;
    const [, from, to] = /** @type {string[]} */ (/bytes=(\d+)-(\d+)/.exec(headers.Range)).map(Number);
    if (forgotten) return Response.json({ code: "not-found" }, { status: 404 });
    asked.push([n * PART + from, n * PART + to + 1]);
    return new Response(content.slice(n * PART + from, n * PART + to + 1), { status: 206, headers: { "Content-Range": `bytes ${from}-${to}/${PART}` } });
  });
});

async function newHoard(all = true) {
  const hoard = new Hoard(async () => /** @type {any} */ (folder));
  await hoard.load();
  hoard.all = all;
  return hoard;
}

const crew = /** @type {any} */ ({ buffer: (/** @type {number} */ size) => new Uint8Array(size) });

let renewed = 0;
let forgotten = false; // by the server: the ticket
const renew = async () => {
  renewed++;
  forgotten = false;
};

/** @param {AHoard | null} hoard */
const newSource = (hoard) => new Source(share, "ticket", new Meter(() => {}), new AbortController().signal, null, hoard, crew, renew);

/** @param {ASource} source */
async function all(source) {
  const bytes = [];
  for await (const piece of source.stream(SIZE, () => {})) bytes.push(...piece);
  return new Uint8Array(bytes);
}

test("what was kept is not fetched again, wherever it was cut", async () => {
  assert.deepEqual(await all(newSource(await newHoard())), content);
  assert.equal((await newHoard()).bytes, SIZE);
  folder.files.delete("1000");
  folder.files.get("2000")?.splice(400);
  folder.files.get("4000")?.push(1, 2, 3); // what is beyond a piece is nobody's
  asked = [];
  const source = newSource(await newHoard());
  assert.deepEqual(await all(source), content);
  assert.deepEqual(asked, [[1000, 2000], [2400, 3000]]);
  asked = [];
  assert.deepEqual(await all(newSource(await newHoard())), content);
  assert.deepEqual(asked, [], "and now all of it is there");
});

test("what comes quickly is not kept, and nothing is made for it", async () => {
  let begun = 0;
  const hoard = new Hoard(async () => (begun++, /** @type {any} */ (folder)));
  const now = performance.now.bind(performance);
  performance.now = () => now() / 1000;
  try {
    assert.deepEqual(await all(newSource(hoard)), content);
  } finally {
    performance.now = now;
  }
  assert.equal(begun, 0);
});

test("where there is no room nothing more is kept", async () => {
  quota = (64 << 20) + 1500;
  const hoard = await newHoard();
  assert.equal(await hoard.ready(1600), false);
  assert.deepEqual(await all(newSource(hoard)), content);
  assert.equal(hoard.full, true);
  assert.ok(hoard.bytes <= 1500);
});

test("a file that cannot be written to ends it, and what is there stays", async () => {
  await all(newSource(await newHoard()));
  folder.files.delete("3000");
  folder.fails = true;
  const hoard = await newHoard();
  asked = [];
  assert.deepEqual(await all(newSource(hoard)), content);
  assert.deepEqual(asked, [[3000, 4000]]);
  assert.equal(hoard.full, true);
});

test("what does not open is fetched again if it was kept, and else it is damaged", async () => {
  await all(newSource(await newHoard()));
  const source = newSource(await newHoard());
  await all(source);
  asked = [];
  const damaged = Object.assign(new Error("damaged"), { code: "damaged" });
  assert.deepEqual(await source.again(900, 1100, damaged), content.slice(900, 1100));
  assert.deepEqual(asked, [[900, 1000], [1000, 1100]]);
  assert.deepEqual([...folder.files.keys()], ["2000", "3000", "4000"]);
  const other = new Error("something else");
  await assert.rejects(source.again(2000, 2100, other), other);
  const direct = newSource(null);
  await all(direct);
  await assert.rejects(direct.again(0, 100, damaged), damaged);
});

test("what the opener takes once comes from the server", async () => {
  const first = newSource(await newHoard());
  await all(first);
  assert.deepEqual(await first.prefix(content.slice(0, 184)), content.slice(0, 184));
  asked = [];
  await all(first); // from the hoard, but what it begins with is known
  assert.deepEqual(await first.prefix(new Uint8Array(184)), content.slice(0, 184));
  assert.deepEqual(asked, []);
  const second = newSource(await newHoard());
  await all(second);
  assert.deepEqual(await second.prefix(new Uint8Array(184)), content.slice(0, 184));
  assert.deepEqual(asked, [[0, 184]]);
});

test("a ticket that the server has forgotten is presented anew, once", async () => {
  forgotten = true;
  const source = newSource(null);
  assert.deepEqual(await all(source), content);
  assert.equal(renewed, 1);
  forgotten = true;
  await assert.rejects(all(source), { code: "not-found" });
  assert.equal(renewed, 1);
  forgotten = false;
});

test("nothing is written after the end", async () => {
  const hoard = await newHoard();
  hoard.close();
  assert.deepEqual(await all(newSource(hoard)), content);
  assert.equal(hoard.bytes, 0);
});
