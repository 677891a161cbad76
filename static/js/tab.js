// @ts-check
// What a transfer does to the tab: it shows in the title and in the icon, for whoever is looking at another tab meanwhile, and
// the tab asks before it is closed. What is transferred is never named here.

import { say } from "./messages.js";

const NAME = say("page.name");
const REST = document.title;
const SHOW_EVERY = 1000; // milliseconds. For each title the browser lays out its tabs
const ICON_STEPS = 24; // as many different rings as can be told apart at 16 pixels

const icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
const plain = icon.href;

let shown = -Infinity;

/**
 * @param {number} part from 0 to 1
 * @param {string} percent the same in words
 */
export function showInTab(part, percent) {
  if (part > 0 && performance.now() - shown < SHOW_EVERY) return;
  shown = performance.now();
  entitle(percent);
  const href = ring(Math.floor(part * ICON_STEPS) / ICON_STEPS);
  if (icon.href !== href) icon.href = href;
}

/**
 * Ends what showInTab began. A word stays in the title, for whoever comes back.
 * @param {string} [word]
 */
export function clearTab(word) {
  entitle(word);
  icon.href = plain;
}

/** @param {string} [word] */
function entitle(word) {
  const title = word ? `${word} · ${NAME}` : REST;
  if (document.title !== title) document.title = title;
}

/**
 * The seal in a ring, of which a part is inked.
 * @param {number} part
 */
function ring(part) {
  const wax = document.querySelector("#seal .disc")?.getAttribute("d") ?? "";
  const circle = (/** @type {string} */ attributes) => `<circle cx="50" cy="50" r="42" fill="none" stroke-width="14" ${attributes}/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">${circle('stroke="#8886"')}` +
    circle(`stroke="#c33" pathLength="100" stroke-dasharray="${Math.round(part * 100)} 100" transform="rotate(-90 50 50)"`) +
    `<path fill="#c33" transform="translate(22 22) scale(.56)" d="${wax}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Makes the browser ask before the tab is closed. */
export const holdTab = () => addEventListener("beforeunload", ask);

export const releaseTab = () => removeEventListener("beforeunload", ask);

/** @param {BeforeUnloadEvent} e */
function ask(e) {
  e.preventDefault();
}
