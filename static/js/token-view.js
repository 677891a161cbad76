// @ts-check
// Asks for an upload token, where the server wants one.

import { hook, make } from "./dom.js";
import { load, say } from "./messages.js";
import * as tokens from "./upload-token.js";

/**
 * Shows the field below what is said to be wrong, and resolves when a token was given. It may never be.
 * @param {() => boolean} lasting whether it is to be kept beyond this page
 * @returns {Promise<void>}
 */
export async function askForToken(lasting) {
  await load("admission");
  document.querySelector("[data-hook=token-form]")?.remove(); // of the time before
  const field = make("input", { type: "password", class: "link", id: "token", "data-hook": "token", dir: "ltr", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: "", "aria-describedby": "token-hint" });
  const alert = make("p", { class: "alert", id: "token-error", role: "alert", "data-hook": "token-error", hidden: "" });
  const hint = make("p", { class: "muted small", id: "token-hint" }, say("admission.hint"));
  const form = make("form", { class: "unlock", "data-show": "error", "data-hook": "token-form" },
    make("div", {}, make("label", { for: "token" }, say("admission.label")), field, hint, alert),
    make("button", { class: "press", "data-hook": "token-use" }, say("admission.use")));
  hook("error").after(form);
  const start = hook("start"); // which would send without one
  start.dataset.show = "idle ready";
  field.focus();
  await new Promise((resolve) => {
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      const token = tokens.read(field.value);
      if (token) {
        tokens.keep(token, lasting()).then(resolve);
        return;
      }
      alert.textContent = say("admission.malformed");
      alert.hidden = false;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", "token-error token-hint");
      field.focus();
      field.select();
    });
  });
  form.remove();
  start.dataset.show = "idle ready error";
}
