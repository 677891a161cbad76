// @ts-check
// What an error means to a person, and what helps.

import * as format from "./format.js";
import { has, say } from "./messages.js";

/** @import { MessageKey } from "./types.d.ts" */

/**
 * @typedef {object} Trouble
 * @property {string} title
 * @property {string} text what happened and what to do
 * @property {string} whole title and text, where a page goes on under its own title
 * @property {"again" | "reload" | ""} way out, if a button is one
 */

/** Codes (server/api, worker/engine.d.ts, or our own) that mean the same to a person. */
const SAME = new Map([
  ["internal", "unavailable"],
  ["busy", "unavailable"],
  ["too-many-parts", "too-many-requests"],
  ["part-conflict", "mixed-up"],
  ["share-conflict", "mixed-up"],
  ["digest-mismatch", "mixed-up"],
  ["wrong-size", "mixed-up"],
  ["incomplete", "mixed-up"],
  ["already-complete", "mixed-up"],
]);

const RELOAD = new Set(["not-loaded", "no-engine", "outdated", "unsupported"]);
const HOPELESS = new Set(["no-fragment", "bad-link", "wrong-key", "hostile"]);

/**
 * @param {any} e anything that was thrown
 * @returns {Trouble}
 */
export function explain(e) {
  const code = typeof e?.code === "string" ? e.code : ""; // a browser's own errors have numbers there
  const known = SAME.get(code) ?? code;
  const group = has(`errors.${known}`) ? known : "unknown";
  const values = {
    file: format.name(String(e?.file ?? "")),
    limit: format.size(e?.limit ?? 0),
    time: format.span(Math.max(1, e?.retryAfter ?? 60)),
    code: format.name(code || String(e?.message ?? e)),
  };
  const title = say(/** @type {MessageKey} */ (`errors.${group}.title`));
  const text = say(/** @type {MessageKey} */ (`errors.${group}.text`), values);
  return {
    title,
    text,
    whole: say("page.trouble", { title, text }),
    way: RELOAD.has(group) ? "reload" : HOPELESS.has(group) ? "" : "again",
  };
}
