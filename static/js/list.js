// @ts-check
// Long lists, of which only as much exists as has been looked at: a page of a hundred thousand rows would freeze.

import { make } from "./dom.js";
import { say } from "./messages.js";

const BATCH = 200;

/**
 * Fills a list with count rows, the first of them at once and more as its end comes into sight. For whoever does not scroll,
 * the end is a button.
 * @param {HTMLElement} list
 * @param {number} count
 * @param {(index: number) => HTMLElement} row
 * @param {HTMLElement | null} [root] what it scrolls in, if that is not the list itself; null for the page
 */
export function fill(list, count, row, root = list) {
  const button = make("button", { type: "button", class: "textual" });
  const rest = make("li", { class: "rest" }, button);
  let shown = 0;
  const more = () => {
    const end = Math.min(count, shown + BATCH);
    const rows = [];
    for (; shown < end; shown++) rows.push(row(shown));
    rest.before(...rows);
    button.textContent = say("count.more", { n: count - shown });
    if (shown === count) rest.remove();
    return rows[0];
  };
  list.replaceChildren(rest);
  more();
  button.addEventListener("click", () => {
    const first = more()?.querySelector("button");
    if (!rest.isConnected) first?.focus(); // the button that had the focus is gone
  });
  const sight = new IntersectionObserver((entries) => {
    if (!rest.isConnected) return sight.disconnect();
    if (!entries.some((e) => e.isIntersecting)) return;
    more();
    sight.unobserve(rest);
    sight.observe(rest); // which tells anew whether it is in sight: it may have been all the while
  }, { root, rootMargin: "100%" });
  if (rest.isConnected) sight.observe(rest);
}
