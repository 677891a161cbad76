// @ts-check
// Which terms a share can be given later. A person thinks of how much longer it should be open, and of how many more downloads
// there should be; the server counts its lifetime from when it was complete, and its downloads from the first.

import { leftOf } from "./keepsake.js";

/** @import { Config, Keepsake } from "./types.d.ts" */

/**
 * How much longer it can be open: seconds from now, and the lifetime that this is. The last may be as long as the server allows.
 * @param {Keepsake} keepsake
 * @param {Pick<Config, "lifetimes" | "maxLifetime">} config
 * @param {number} now milliseconds
 * @returns {{more: number, lifetime: number, most: boolean}[]}
 */
export function extensions({ expires, lifetime }, { lifetimes, maxLifetime }, now) {
  const age = Math.max(0, Math.ceil((now - (expires - lifetime * 1000)) / 1000));
  const choices = lifetimes.map((more) => ({ more, lifetime: age + more, most: false })).filter((choice) => choice.lifetime <= maxLifetime);
  const longest = maxLifetime - age;
  if (maxLifetime > lifetime && longest > (choices.at(-1)?.more ?? 0)) choices.push({ more: longest, lifetime: maxLifetime, most: true });
  return choices;
}

/**
 * How many more downloads there can be, and the limit that this is. Any number is none of them. Nor are as many as there are.
 * @param {Keepsake} keepsake
 * @param {number[]} choices
 * @param {number} most that the server allows
 * @returns {{more: number, maxDownloads: number}[]}
 */
export function allowances(keepsake, choices, most) {
  const left = leftOf(keepsake);
  return choices.filter((more) => more !== left).map((more) => ({ more, maxDownloads: keepsake.taken + more })).filter(({ maxDownloads }) => maxDownloads <= most);
}
