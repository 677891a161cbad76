// @ts-check
// The page, from the assets binding, as package server's Pages would answer.
import { headers, languages } from "./build/site.mjs";

/** @param {Request} request @param {URL} url @param {{ASSETS: Fetcher}} env */
export async function page(request, url, env) {
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Method Not Allowed", { Allow: "GET, HEAD" });
  const document = documentOf(url.pathname);
  if (!document) return url.pathname.endsWith(".html") ? notFound() : asset(request, url, env);
  const language = preferred(request.headers.get("Accept-Language") ?? "", languages);
  const found = await asset(request, new URL(`/${language}/${document}`, url), env);
  if (found.status === 404) return found;
  const response = new Response(found.body, found);
  for (const [name, value] of Object.entries(headers[document])) response.headers.set(name, value);
  response.headers.set("Content-Language", language);
  response.headers.append("Vary", "Accept-Language");
  return response;
}

/** @param {string} path */
function documentOf(path) {
  if (path === "/") return "index.html";
  if (path === "/how") return "how.html";
  if (path === "/mine") return "mine.html";
  return /^\/d\/[^/]+$/.test(path) ? "download.html" : "";
}

/** @param {Request} request @param {URL} url @param {{ASSETS: Fetcher}} env */
async function asset(request, url, env) {
  const found = await env.ASSETS.fetch(new Request(url, { method: request.method, headers: request.headers }));
  return found.status === 404 ? notFound() : found;
}

function notFound() {
  return plain(404, "Not Found", {});
}

/** @param {number} status @param {string} text @param {Record<string, string>} more */
export function plain(status, text, more) {
  const type = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache" };
  return new Response(`${text}\n`, { status, headers: { ...headers[""], ...type, ...more } });
}

/**
 * Returns the language, of those that there are, which suits an Accept-Language best, as package server does.
 * @param {string} header @param {string[]} languages
 */
export function preferred(header, languages) {
  let best = "";
  let weight = 0;
  for (const item of header.split(",")) {
    const [tag, ...params] = item.split(";");
    const q = params.join(";").replaceAll(" ", "").match(/^q=(.*)$/);
    const w = q ? Number(q[1]) : 1;
    if (!(w >= 0 && w <= 1) || w <= weight) continue;
    const language = closest(tag.trim().toLowerCase(), languages);
    if (language) [best, weight] = [language, w];
  }
  return best || (languages.includes("en") ? "en" : languages[0]);
}

/** @param {string} wanted @param {string[]} languages */
function closest(wanted, languages) {
  for (; wanted; wanted = wanted.slice(0, Math.max(0, wanted.lastIndexOf("-")))) {
    const found = languages.find((l) => l.toLowerCase() === wanted || l.toLowerCase().startsWith(`${wanted}-`));
    if (found) return found;
  }
  return "";
}
