// @ts-check
// Suggests a password of words beside the field for one, and says what that is worth. Of a password of one's own nobody can say
// that it is strong, and so neither does this page.

import { hook, make } from "./dom.js";
import { style } from "./late.js";
import { load, say } from "./messages.js";
import { drawPhrase, wordsOf, worth } from "./phrase.js";
import { explain } from "./trouble.js";

const SHORT = 12; // characters; what is shorter is found soon, whatever it is

/** @type {string[]} */
let list = [];
let drawn = "";

/** The words that were suggested and taken, also after the field has been emptied because they were sent; else "". */
export const suggested = () => drawn;

export const forget = () => (drawn = "");

let offered = false;

/**
 * Puts the button behind the field, once.
 * @param {HTMLInputElement} field
 */
export async function offer(field) {
  if (offered) return;
  offered = true;
  await Promise.all([load("passing"), style("passing")]).catch((e) => {
    offered = false;
    throw e;
  });
  const button = make("button", { type: "button", class: "textual small", "data-hook": "suggest" }, say("passing.phrase.suggest"));
  const phrase = make("p", { class: "piece", "data-hook": "phrase", hidden: "" });
  const strength = make("p", { class: "muted small", role: "status", "data-hook": "strength" });
  const show = () => {
    const sent = !field.value && field.closest("[data-state=done]");
    if (field.value !== drawn && !sent) forget(); // whoever writes another password, or none, has not taken them
    const words = field.value && drawn;
    phrase.textContent = words;
    phrase.hidden = field.type === "password" || !words;
    button.textContent = words ? say("passing.phrase.another") : say("passing.phrase.suggest");
    tell(strength, field.value);
  };
  button.addEventListener("mousedown", (e) => e.preventDefault()); // else the field closes, and the button is elsewhere when it is let go
  button.addEventListener("click", () => suggest(field).then(() => "", (e) => explain(e).whole).then((trouble) => {
    show();
    if (trouble) strength.textContent = trouble;
  }));
  field.addEventListener("input", show);
  hook("reveal").addEventListener("click", show);
  const terms = /** @type {HTMLElement} */ (field.closest(".terms"));
  terms.append(" ", button);
  terms.after(make("div", { class: "worth", "data-show": "idle ready error" }, phrase, strength));
  show();
}

/** @param {HTMLInputElement} field */
async function suggest(field) {
  if (!list.length) list = await fetchWords();
  drawn = drawPhrase(list);
  field.value = drawn;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (field.type === "password") hook("reveal").click();
  field.scrollLeft = 0;
}

/** English ones, in each language: another list is another file. */
async function fetchWords() {
  const missing = (/** @type {unknown} */ cause) => {
    throw Object.assign(new Error(`the words could not be loaded: ${cause}`), { code: "not-loaded" });
  };
  const answer = await fetch(new URL("../words/en.txt", import.meta.url)).catch(missing);
  return answer.ok ? wordsOf(await answer.text().catch(missing)) : missing(answer.status);
}

/**
 * @param {HTMLElement} strength
 * @param {string} password
 */
function tell(strength, password) {
  const text = !password ? "" : password === drawn ? say("passing.phrase.worth", worth(list.length)) :
    [...password].length < SHORT ? say("passing.phrase.short") : say("passing.phrase.own");
  if (strength.textContent !== text) strength.textContent = text; // what stays is not announced again
}
