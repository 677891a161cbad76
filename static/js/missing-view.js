// @ts-check
// Asks for the part of a link that was sent another way, and opens it. It goes into the history entry, as what the page read from a whole
// link does, and never into an address.

import { base, site } from "./base.js";
import { hook, make } from "./dom.js";
import { load, say } from "./messages.js";
import { readPasted } from "./missing.js";

/** @type {HTMLElement | null} */
let form = null;

/** Shows the field for it below what is said to be missing, once. */
export async function askForRest() {
  await load("passing");
  if (form) return;
  const field = make("input", { class: "link", id: "rest", "data-hook": "rest", dir: "ltr", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: "" });
  const alert = make("p", { class: "alert", id: "rest-error", role: "alert", "data-hook": "rest-error", hidden: "" });
  form = make("form", { class: "unlock", "data-show": "error", "data-hook": "rest-form" },
    make("div", {}, make("label", { for: "rest" }, say("passing.rest.label")), field, alert),
    make("button", { class: "press", "data-hook": "rest-open" }, say("passing.rest.open")));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const trouble = take(field.value);
    alert.textContent = trouble;
    alert.hidden = !trouble;
    if (!trouble) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "rest-error");
    field.focus();
    field.select();
  });
  hook("error").after(form);
}

/**
 * Opens the link, or returns what is wrong with it.
 * @param {string} text
 */
function take(text) {
  const pasted = readPasted(text);
  if (!pasted) return say("passing.rest.wrong");
  const { place, id, fragment } = pasted;
  if (place && place !== site) return say("passing.rest.elsewhere", { host: new URL(place).host });
  history.replaceState({ fragment, ticket: null }, "", id ? `${base}/d/${id}` : location.pathname);
  location.reload();
  return "";
}
