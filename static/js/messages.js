// @ts-check
// What the page says: messages/{language}.json, which comes within the HTML and so is there as soon as scripts run. (WebKit
// would not take a preloaded file for a fetch, and any file may fail to arrive.) What only later scripts say is left out there
// (lateGroups in pages.go), and comes with them.

import * as format from "./format.js";

/** @import { MessageKey } from "./types.d.ts" */
/** @typedef {string | Record<string, string>} Message text, or texts by plural category */

const template = /** @type {HTMLTemplateElement} */ (document.getElementById("messages"));
const messages = JSON.parse(template.content.textContent ?? "");
// Values from outside keep their own direction within a sentence that runs from right to left.
const isolate = messages.dir === "rtl" ? (/** @type {string} */ s) => `\u2068${s}\u2069` : (/** @type {string} */ s) => s;
const plurals = new Intl.PluralRules(format.language);

/**
 * The message at a dotted path. {name} becomes the value of that name, numbers as they are written in this language; the
 * value of n decides on the plural form.
 * @param {MessageKey} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  const message = find(key);
  if (message === undefined) throw new Error(`BUG: no message ${key}`);
  const text = typeof message === "string" ? message : (message[plurals.select(Number(values.n))] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`BUG: message ${key} lacks ${name}`);
    return typeof value === "number" ? format.count(value) : isolate(value);
  });
}

/**
 * The same for a message of one form, with elements among its words.
 * @param {MessageKey} key
 * @param {Record<string, Node | string>} values
 * @returns {(Node | string)[]}
 */
export function sayWith(key, values) {
  const words = String(find(key)).split(/\{(\w+)\}/); // odd ones are names
  return words.map((word, i) => (i % 2 ? values[word] : word));
}

/**
 * @param {string} key
 * @returns {Message | undefined}
 */
const find = (key) => key.split(".").reduce((node, part) => node?.[part], messages);

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/**
 * Brings a group of messages that comes late. To be awaited before any of them is said.
 * @param {string} group
 */
export function load(group) {
  const known = loading.get(group);
  if (known) return known;
  const coming = bring(group).catch((e) => {
    loading.delete(group);
    throw Object.assign(e, { code: "not-loaded" });
  });
  loading.set(group, coming);
  return coming;
}

/** @param {string} group */
async function bring(group) {
  const answer = await fetch(new URL(`../messages/${format.language}/${group}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`failed to load messages: ${answer.status}`);
  Object.assign(messages, await answer.json());
}

/** @param {string} key */
export const has = (key) => find(key) !== undefined;
