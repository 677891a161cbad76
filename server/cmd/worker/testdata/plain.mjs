// @ts-check
// The Worker, and beside it what it is measured against: answers by JavaScript alone.
import worker from "../worker.mjs";

/** @import { Env } from "../handler.mjs" */

const statement = `SELECT id, access, reader, owner, state, password, part_size, size, parts, created, completed, expires, lifetime,
  max_downloads, taken FROM shares WHERE id = ?1 AND state <> 'removed' AND expires > ?2`;

/** @type {ExportedHandler<Env>} */
export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/plain") return Response.json({});
    if (pathname.startsWith("/plain/")) return share(request, env, pathname.slice("/plain/".length));
    return /** @type {NonNullable<typeof worker.fetch>} */ (worker.fetch)(request, env, ctx);
  },
};

/** What GET /api/v1/shares/{id} asks of D1, checks and answers. @param {Request} request @param {Env} env @param {string} id */
async function share(request, env, id) {
  const now = Math.floor(Date.now() / 1000);
  const [answer] = await env.DB.batch([env.DB.prepare(statement).bind(id, now)]);
  const { access, reader, owner, ...row } = /** @type {Record<string, number[]>} */ (answer.results[0]);
  const text = request.headers.get("Authorization")?.slice("Bearer ".length) ?? "";
  const token = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", token));
  if (!hash.every((byte, i) => byte === owner[i])) return new Response("no\n", { status: 404 });
  return Response.json({ ...row, now });
}
