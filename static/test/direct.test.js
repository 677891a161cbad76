// @ts-check
// Which way parts go, and what happens when the short one is closed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Piece } from "../js/line.js";

const STORE = "https://s3.example";
const { signal } = new AbortController();

/** A module of its own for each test: what it has learnt of a store stays in it. */
let n = 0;
/** @returns {Promise<typeof import("../worker/direct.js")>} */
const fresh = () => import(`../worker/direct.js?${n++}`);

/**
 * Has a server and a store answer, and tells what they are asked.
 * @param {import("node:test").TestContext} t
 * @param {(method: string, path: string) => Response} server
 * @param {(method: string, headers: Headers) => Response | null} store null for no answer
 */
function between(t, server, store) {
  /** @type {string[]} */
  const asked = [];
  t.mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ { method = "GET", headers }) => {
    if (!url.startsWith(STORE)) {
      asked.push(`${method} ${url.replace(/^.*shares\/id\//, "")}`);
      return server(method, url);
    }
    asked.push(`${method} store`);
    const answer = store(method, new Headers(headers));
    if (!answer) throw new TypeError("failed to fetch");
    return answer;
  });
  class Request {
    upload = {};
    status = 0;
    statusText = "";
    responseText = "";
    onload = () => {};
    onerror = () => {};
    #method = "";
    #headers = new Headers();
    /** @param {string} method */
    open(method) {
      this.#method = method;
    }
    /**
     * @param {string} name
     * @param {string} value
     */
    setRequestHeader(name, value) {
      this.#headers.set(name, value);
    }
    getAllResponseHeaders() {
      return "";
    }
    send() {
      asked.push(`${this.#method} store`);
      const answer = store(this.#method, this.#headers);
      this.status = answer?.status ?? 0;
      setImmediate(() => (answer ? this.onload() : this.onerror()));
    }
  }
  Object.assign(globalThis, { XMLHttpRequest: Request });
  return () => asked.splice(0);
}

const direct = (/** @type {string} */ method, headers = {}) =>
  Response.json({ method, url: `${STORE}/bucket/id/1?signed`, headers, expires: Date.now() / 1000 + 300 });
const nothing = () => new Response(null, { status: 204 });
const bytes = new Uint8Array(4), digest = new Uint8Array(32);

test("a part is put into the store with the headers that are signed, and then confirmed", async (t) => {
  const { putPart } = await fresh();
  const asked = between(t, (method) => (method === "POST" ? direct("PUT", { "If-None-Match": "*" }) : nothing()), (_, headers) => {
    assert.equal(headers.get("If-None-Match"), "*");
    return new Response();
  });
  await putPart(true, "id", "owner", 1, bytes, digest, signal);
  assert.deepEqual(asked(), ["POST parts/1/direct", "PUT store", "PUT parts/1/direct"]);
  await putPart(false, "id", "owner", 2, bytes, digest, signal);
  assert.deepEqual(asked(), ["PUT parts/2"]);
});

test("what is stored already is not sent; what the store has already is confirmed", async (t) => {
  const { putPart } = await fresh();
  let status = 204;
  const asked = between(t, (method) => (method === "POST" && status !== 204 ? direct("PUT") : nothing()), () => new Response("", { status }));
  await putPart(true, "id", "owner", 1, bytes, digest, signal);
  assert.deepEqual(asked(), ["POST parts/1/direct"]);
  status = 412;
  await putPart(true, "id", "owner", 1, bytes, digest, signal);
  assert.deepEqual(asked(), ["POST parts/1/direct", "PUT store", "PUT parts/1/direct"]);
});

test("what the store refuses, or does not answer, goes through the server; and soon all does", async (t) => {
  const { putPart } = await fresh();
  const answers = [null, new Response("", { status: 403 }), new Response("", { status: 500 })];
  const asked = between(t, (method, url) => (method === "POST" && url.endsWith("direct") ? direct("PUT") : nothing()), () => answers.shift() ?? null);
  for (let part = 1; part <= 3; part++) {
    await putPart(true, "id", "owner", part, bytes, digest, signal);
    assert.deepEqual(asked(), [`POST parts/${part}/direct`, "PUT store", `PUT parts/${part}`]);
  }
  await putPart(true, "id", "owner", 4, bytes, digest, signal);
  assert.deepEqual(asked(), ["PUT parts/4"]);
});

test("what the server does not find in the store goes through the server; what it refuses is refused", async (t) => {
  const { putPart } = await fresh();
  let code = "not-ready";
  const asked = between(t, (method, url) => {
    if (!url.endsWith("direct")) return nothing();
    return method === "POST" ? direct("PUT") : Response.json({ code }, { status: 409 });
  }, () => new Response());
  await putPart(true, "id", "owner", 1, bytes, digest, signal);
  assert.deepEqual(asked(), ["POST parts/1/direct", "PUT store", "PUT parts/1/direct", "PUT parts/1"]);
  code = "part-conflict";
  await assert.rejects(putPart(true, "id", "owner", 1, bytes, digest, signal), { code });
});

/**
 * @param {Uint8Array<ArrayBuffer>} part
 * @param {string} range
 */
function ranged(part, range) {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range)?.map(Number) ?? [];
  return new Response(part.slice(from, to + 1), { status: 206, headers: { "Content-Range": `bytes ${from}-${to}/${part.length}` } });
}

test("one request for reading serves for all pieces of a part; what breaks off goes on through the server, from there", async (t) => {
  const { getPart } = await fresh();
  const part = Uint8Array.from({ length: 100 }, (_, i) => i);
  let cut = false;
  const ranges = [];
  const asked = between(t, (_, url) => {
    if (url.endsWith("direct")) return direct("GET");
    return new Response(part.slice(60, 70), { status: 206, headers: { "Content-Range": "bytes 60-69/100" } });
  }, (_, headers) => {
    const range = headers.get("Range") ?? "";
    ranges.push(range);
    return cut ? new Response(part.slice(50, 60), { status: 206, headers: { "Content-Range": "bytes 50-59/100" } }) : ranged(part, range);
  });
  for (const from of [0, 10]) {
    const piece = new Piece(from, new Uint8Array(10));
    assert.deepEqual(await getPart(true, "id", "ticket", 1, piece, signal, () => {}), part.slice(from, from + 10));
  }
  assert.deepEqual(asked(), ["GET parts/1/direct", "GET store", "GET store"]);
  cut = true;
  assert.deepEqual(await getPart(true, "id", "ticket", 1, new Piece(50, new Uint8Array(20)), signal, () => {}), part.slice(50, 70));
  assert.deepEqual(asked(), ["GET store", "GET parts/1"]);
});

test("a store that does not tell pages which range it answers with is not asked", async (t) => {
  const { getPart } = await fresh();
  const part = new Uint8Array(10);
  const asked = between(t, (_, url) => (url.endsWith("direct") ? direct("GET") : ranged(part, "bytes=0-9")), () => new Response(part, { status: 206 }));
  for (let i = 0; i < 4; i++) await getPart(true, "id", "ticket", i, new Piece(0, new Uint8Array(10)), signal, () => {});
  assert.equal(asked().filter((line) => line === "GET store").length, 3);
});

test("a ticket that has ended is told, and the store is not asked", async (t) => {
  const { getPart } = await fresh();
  const asked = between(t, () => Response.json({ code: "not-found" }, { status: 404 }), () => new Response());
  await assert.rejects(getPart(true, "id", "ticket", 1, new Piece(0, new Uint8Array(1)), signal, () => {}), { code: "not-found" });
  assert.deepEqual(asked(), ["GET parts/1/direct"]);
});
