// @ts-check
// Dialogs over the page. Escape closes them, and the focus goes back to where it came from.

import { make } from "./dom.js";
import { style } from "./late.js";

/**
 * Shows a dialog, with the focus on its heading, and removes it when it is closed.
 * @param {string} name its hook
 * @param {string} title
 * @param {(Node | string)[]} content
 * @returns {Promise<HTMLDialogElement>}
 */
export async function show(name, title, ...content) {
  await style("window");
  const opener = /** @type {HTMLElement | null} */ (document.activeElement);
  const heading = make("h2", { id: `${name}-title`, tabindex: "-1", "data-hook": `${name}-title` }, title);
  const dialog = make("dialog", { class: "window", "data-hook": `${name}-window`, "aria-labelledby": heading.id }, make("div", {}, heading, ...content));
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return dialog;
}
