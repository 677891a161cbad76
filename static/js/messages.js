// @ts-check
// What the page says, in the language of its HTML: messages/{language}.json.

import * as format from "./format.js";

/** @import { MessageKey } from "./types.d.ts" */
/** @typedef {string | Record<string, string>} Message text, or texts by plural category */

const url = new URL(`../messages/${format.language}.json`, import.meta.url);
const messages = await (await fetch(url)).json(); // the page's HTML preloads it
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
    return typeof value === "number" ? format.count(value) : value;
  });
}

/**
 * @param {string} key
 * @returns {Message | undefined}
 */
const find = (key) => key.split(".").reduce((node, part) => node?.[part], messages);

/**
 * What an error means to a person, by its code (server/api, worker/engine.d.ts, or our own).
 * @param {any} e anything that was thrown
 */
export function sayError(e) {
  const values = { file: format.name(String(e?.file ?? "")), limit: format.size(e?.limit ?? 0) };
  if (find(`errors.${e?.code}`)) return say(/** @type {MessageKey} */ (`errors.${e.code}`), values);
  return say("errors.unknown", { message: String(e?.message ?? e) });
}
