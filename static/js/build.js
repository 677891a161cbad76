// @ts-check
// The build of this page, and what to do when the server has another: scripts, workers and engine are addressed by build, so
// a page that has all of them goes on as it is, and one that lacks some has to be loaded again.

import * as api from "./api.js";
import { hook } from "./dom.js";

/** @import { Config } from "./types.d.ts" */

const REST = 10 * 60_000; // milliseconds between two questions
const { build } = document.documentElement.dataset;

/**
 * Offers to load the page again, quietly, if the server has another build. Returns whether it has.
 * @param {Config} config
 */
export function compare(config) {
  const other = config.build !== build;
  if (other) hook("newer").hidden = false;
  return other;
}

/**
 * Looks whether there is a newer build when a person comes back to the page while nothing is under way.
 * @param {() => boolean} idle
 */
export function watch(idle) {
  let next = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() < next || !idle()) return;
    next = Date.now() + REST;
    api.config(1).then(compare, () => {}); // there will be another time
  });
}

/**
 * Returns e, or a better reason if it says that a piece of the page could not be loaded: the server has another build.
 * @param {any} e
 */
export async function reason(e) {
  if (e?.code !== "not-loaded") return e;
  const outdated = await api.config(4).then(compare, () => false);
  return outdated ? { code: "outdated" } : e;
}

/** Notes that all scripts of the page are there. Without that its HTML says, after a while, that it is not whole. */
export const started = () => document.documentElement.toggleAttribute("data-started", true);

hook("reload").addEventListener("click", () => location.reload());
