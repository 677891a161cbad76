// @ts-check
// Reporting a share to the operator. What is written is sealed to them by the worker before it leaves, and the key of the share is in
// it only if one ticks that.

import { make } from "./dom.js";
import { has, load, say } from "./messages.js";
import { explain } from "./trouble.js";
import { show } from "./window.js";

/** @import { Remote } from "./remote.js" */
/** @import { Complaint, MessageKey } from "./types.d.ts" */

/** @type {Complaint["reason"][]} */
const REASONS = ["malware", "deception", "child-abuse", "unlawful", "something-else"];
const WORDS = "2000"; // characters, which the worker has room for

/**
 * @param {Remote} worker
 * @param {string} recipient
 * @param {boolean} opened whether there is a key that opens the share
 */
export async function report(worker, recipient, opened) {
  await load("report");
  const words = make("textarea", { id: "report-words", rows: "4", maxlength: WORDS, "data-hook": "report-words" });
  const alert = make("p", { class: "alert", role: "alert", id: "report-error", "data-hook": "report-error", hidden: "" });
  const send = make("button", { class: "press", "data-hook": "report-send" }, say("report.send"));
  const cancel = make("button", { type: "button", class: "quiet", "data-hook": "report-cancel" }, say("report.cancel"));
  const form = make("form", {},
    make("fieldset", { class: "reasons", "aria-describedby": alert.id }, make("legend", {}, say("report.reason")), ...REASONS.map(choice)),
    make("div", { class: "words" }, make("label", { for: words.id }, say("report.words")), words),
    opened ? tick() : make("p", { class: "muted" }, say("report.noKey")),
    alert,
    make("div", { class: "row" }, send, cancel),
  );
  const dialog = await show("report", say("report.title"), make("p", {}, say("report.lead")), form);
  const tell = (/** @type {string} */ text) => {
    if (alert.textContent !== text) alert.textContent = text;
    alert.hidden = !text;
  };
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (send.getAttribute("aria-disabled") === "true") return;
    const data = new FormData(form);
    const reason = /** @type {Complaint["reason"] | null} */ (data.get("reason"));
    if (!reason) {
      tell(say("report.choose"));
      return form.querySelector("input")?.focus();
    }
    tell("");
    rest(send, true);
    try {
      await worker.call("report", [recipient, { reason, words: words.value, key: data.has("key") }]);
      thank(dialog);
    } catch (e) {
      tell(why(e));
      rest(send, false);
    }
  });
}

/** @param {Complaint["reason"]} reason */
function choice(reason) {
  const input = make("input", { type: "radio", name: "reason", value: reason, "data-hook": `report-${reason}` });
  return make("label", { class: "tick" }, input, make("span", {}, say(`report.reasons.${reason}`)));
}

/** The box that is not ticked by itself. */
function tick() {
  const means = make("p", { class: "muted small", id: "report-key-means" }, say("report.keyMeans"));
  const input = make("input", { type: "checkbox", name: "key", "data-hook": "report-key", "aria-describedby": means.id });
  return make("div", {}, make("label", { class: "tick" }, input, make("span", {}, say("report.key"))), means);
}

/**
 * A button that was pressed rests, and keeps the focus.
 * @param {HTMLButtonElement} button
 * @param {boolean} busy
 */
function rest(button, busy) {
  button.textContent = say(busy ? "report.sending" : "report.send");
  button.setAttribute("aria-disabled", String(busy));
}

/** @param {any} e */
function why(e) {
  const key = `report.errors.${e?.code}`;
  return has(key) ? say(/** @type {MessageKey} */ (key)) : explain(e).whole;
}

/** @param {HTMLDialogElement} dialog */
function thank(dialog) {
  const close = make("button", { type: "button", class: "quiet", "data-hook": "report-close" }, say("report.close"));
  close.addEventListener("click", () => dialog.close());
  const heading = /** @type {HTMLElement} */ (dialog.querySelector("h2"));
  heading.textContent = say("report.thanks");
  const { parentElement } = heading;
  parentElement?.replaceChildren(heading, make("p", {}, say("report.thanksText")), make("div", { class: "row" }, close));
  heading.focus();
}
