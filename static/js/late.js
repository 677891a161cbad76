// @ts-check
// What comes after the first paint brings its own style (css/late).

import { make } from "./dom.js";

/** @type {Map<string, Promise<unknown>>} */
const loading = new Map();

/**
 * Resolves when the style is there. To be awaited before what it is for is shown.
 * @param {string} name
 */
export function style(name) {
  const known = loading.get(name);
  if (known) return known;
  const link = make("link", { rel: "stylesheet", href: new URL(`../css/late/${name}.css`, import.meta.url).href });
  const coming = new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => {
      loading.delete(name);
      link.remove();
      reject(Object.assign(new Error("no style"), { code: "not-loaded" }));
    };
    document.head.append(link);
  });
  loading.set(name, coming);
  return coming;
}
