// @ts-check
// Buttons that copy.

import { hook } from "./dom.js";
import { say } from "./messages.js";

const MOMENT = 3000; // milliseconds for which a button says what it did

/**
 * Makes a button copy text, and say so for a moment. What could not be copied stays selected where it is shown.
 * @param {HTMLElement} button
 * @param {HTMLElement | (() => HTMLElement)} source where the text is shown, or what shows it when that is needed
 * @param {() => string} text
 * @param {HTMLElement} [status] what is read out
 */
export function copies(button, source, text, status = hook("status")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const copied = (await navigator.clipboard?.writeText(text()).then(() => true, () => false)) || copySelected(button, typeof source === "function" ? source() : source);
    button.textContent = status.textContent = say(copied ? "copy.done" : "copy.byHand");
    setTimeout(() => (button.textContent = label), MOMENT);
  });
}

/**
 * Copies what is shown, where the clipboard may not be written.
 * @param {HTMLElement} button
 * @param {HTMLElement} source
 */
function copySelected(button, source) {
  if (source instanceof HTMLInputElement) {
    source.focus();
    source.select();
  } else getSelection()?.selectAllChildren(source);
  const copied = document.execCommand("copy");
  if (copied) button.focus();
  return copied;
}
