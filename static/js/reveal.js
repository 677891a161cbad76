// @ts-check
// A password can be looked at while it is typed.

import { say } from "./messages.js";

/**
 * Makes a button show and hide what is in the field. It is there when there is something to show. Returns a function that
 * empties the field.
 * @param {HTMLInputElement} field
 * @param {HTMLElement} button
 */
export function reveal(field, button) {
  const show = (/** @type {boolean} */ visible) => {
    field.type = visible ? "text" : "password";
    button.textContent = visible ? say("password.hide") : say("password.show");
    button.setAttribute("aria-label", visible ? say("password.hideLabel") : say("password.showLabel"));
  };
  const look = () => {
    button.hidden = !field.value;
    if (!field.value) show(false);
  };
  field.addEventListener("input", look);
  button.addEventListener("click", () => show(field.type === "password"));
  return () => {
    field.value = "";
    field.dispatchEvent(new Event("input"));
  };
}
