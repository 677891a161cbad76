// @ts-check
// What answers: Go for the API, the assets for everything else. No Go instance is taken while bytes move.
import { Batches } from "../../store/d1/batches.mjs";
import { Parts } from "../../store/r2/parts.mjs";
import { limits } from "./limits.mjs";
import { page } from "./pages.mjs";
import { Busy } from "./pool.mjs";
import { busy, headers, internal, maxJSONBody, maxPartSize } from "./build/site.mjs";

/**
 * @typedef {{BUCKET: R2Bucket, DB: D1Database, ASSETS: Fetcher}} Env
 * @typedef {import("./pool.mjs").withGo} WithGo
 * @typedef {import("./pool.mjs").Go} Go
 * @typedef {(bindings: object, call: (go: Go) => Promise<Response>) => Promise<Response>} Ask
 */

/** @param {WithGo} withGo @returns {ExportedHandler<Env>} */
export function handler(withGo) {
  return {
    async fetch(request, env, ctx) {
      const url = new URL(request.url);
      if (url.pathname !== "/healthz" && url.pathname !== "/api" && !url.pathname.startsWith("/api/")) {
        await drain(request);
        return page(request, url, env);
      }
      try {
        const answer = request.method === "PUT" ? take : ask;
        const answered = answer(request, env, (bindings, call) => withGo(bindings, ctx, call));
        ctx.waitUntil(answered.catch(() => {})); // who hangs up leaves nothing half done
        return await answered;
      } catch (error) {
        if (error instanceof Busy) return problem(busy);
        console.error("request failed:", error);
        return problem(internal);
      }
    },

    async scheduled(event, env, ctx) {
      await withGo(bindings(env, new Parts(env.BUCKET)), ctx, (go) => go.runScheduler(event), true);
    },
  };
}

/** What Go sees. @param {Env} env @param {Parts} parts */
function bindings(env, parts) {
  return { ...env, BATCHES: new Batches(env.DB), PARTS: parts, LIMITS: limits };
}

/**
 * Answers a call whose body is JSON, if it has any. That has arrived before Go is asked.
 * @param {Request} request @param {Env} env @param {Ask} go
 */
async function ask(request, env, go) {
  const body = await beginningOf(request);
  return go(bindings(env, new Parts(env.BUCKET)), (go) => asked(go, request, body));
}

/**
 * Takes a part in. Go is asked whether it is wanted, and told when it is there; in between JavaScript stores it.
 * @param {Request} request @param {Env} env @param {Ask} go
 */
async function take(request, env, go) {
  const call = (/** @type {Go} */ go) => asked(go, request, null);
  const parts = new Parts(env.BUCKET, { defers: true });
  let response = await go(bindings(env, parts), call);
  if (parts.wanted) {
    const { name } = parts.wanted;
    const outcome = request.body ? await parts.store(parts.wanted, request.body) : "size";
    response = await go(bindings(env, new Parts(env.BUCKET, { defers: true, stored: { name, outcome } })), call);
    if (!outcome && response.status === 404) await parts.remove([name]); // the share was deleted in between
  }
  await drain(request);
  return response;
}

/**
 * Asks Go; serve.go tells in which form.
 * @param {Go} go @param {Request} request @param {Uint8Array<ArrayBuffer> | null} body @returns {Promise<Response>}
 */
async function asked(go, request, body) {
  let head = `${request.method} ${request.url}\n`;
  for (const [name, value] of request.headers) head += `${name}:${value}\n`;
  return new Promise((resolve, reject) => {
    /** @param {number} status @param {string} lines @param {BodyInit | null} body */
    const answer = (status, lines, body) => {
      try {
        resolve(new Response(body, { status, headers: parsed(lines) }));
      } catch (error) {
        reject(error); // and not Go's
      }
    };
    Promise.resolve(go.handleRequest({ head, body, answer })).catch(reject);
  });
}

/** @param {string} lines */
function parsed(lines) {
  const headers = new Headers({ Date: new Date().toUTCString() }); // Cloudflare would set it, workerd alone does not
  for (const line of lines.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return headers;
}

/** As much of a body as Go may want to see. @param {Request} request */
async function beginningOf(request) {
  if (!request.body) return null;
  const chunks = [];
  let size = 0;
  const reader = request.body.getReader();
  while (size <= maxJSONBody) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  reader.releaseLock();
  await drain(request);
  return new Uint8Array(await new Blob(chunks).arrayBuffer()).slice(0, maxJSONBody + 1);
}

// Reads what is left of a body that was not wanted: else the connection is cut, and the client never reads why. One that waits
// for permission to send is not given it.
/** @param {Request} request */
async function drain(request) {
  const size = Number(request.headers.get("Content-Length") ?? 0);
  if (!request.body || request.body.locked || request.headers.has("Expect") || size > maxPartSize) return;
  const reader = request.body.getReader();
  for (let read = 0; read <= maxPartSize; ) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: null }));
    if (done) return;
    read += value?.length ?? 0;
  }
  reader.cancel().catch(() => {});
}

/** @param {{status: number, retryAfter?: number}} body */
function problem(body) {
  const type = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  const response = new Response(`${JSON.stringify(body)}\n`, { status: body.status, headers: { ...headers[""], ...type } });
  if (body.retryAfter) response.headers.set("Retry-After", String(body.retryAfter));
  return response;
}
