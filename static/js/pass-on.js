// @ts-check
// Other ways to pass a link on than to copy it: as a QR code, by the system's share sheet, by mail; and the words of its password.
//
// A code and the share sheet hand over the whole link, since the person who uses them chooses who takes it. A mail does not.

import { copies } from "./copy.js";
import { hook, make, showAlert } from "./dom.js";
import { style } from "./late.js";
import { mailPanel } from "./mail-view.js";
import { load, say } from "./messages.js";
import { forget, suggested } from "./phrase-view.js";
import { explain } from "./trouble.js";

/** @import { Posted } from "./types.d.ts" */

/**
 * @typedef {object} Letter what there is to pass on
 * @property {string} link "" if there is none yet
 * @property {Posted | null} posted once all of it is sent
 * @property {boolean} guarded by a password, as far as is known before
 */

/** @type {Letter} */
let letter = { link: "", posted: null, guarded: false };
/** @type {ReturnType<typeof build> | null} */
let view = null;

/**
 * Shows the ways to pass on what there is now.
 * @param {Letter} now
 */
export async function passOn(now) {
  letter = now;
  await Promise.all([load("passing"), style("passing"), style("window")]); // that has the box to tick
  view ??= build();
  view.all.hidden = !letter.link;
  view.mail.update(letter);
  showWords();
}

// What the page remembers of a password goes with it, also where a browser keeps the page for the way back.
addEventListener("pagehide", () => {
  forget();
  showWords();
});

function showWords() {
  if (!view) return;
  view.words.textContent = letter.posted?.share.password ? suggested() : "";
  view.apart.hidden = !view.words.textContent;
}

/** Makes all of it, below the link. */
function build() {
  const code = button("qr", say("passing.qr.show"));
  code.addEventListener("click", () => once(code, async () => {
    const { showQR } = await import("./qr.js");
    await showQR(letter.link, code);
  }));
  const mailButton = button("mail", say("passing.mail.show"));
  const mail = mailPanel(mailButton, copier);
  const words = make("p", { class: "piece", "data-hook": "words" });
  const apart = make("div", { class: "panel", "data-show": "done" },
    make("p", {}, say("passing.words.apart")),
    make("div", { class: "row" }, words, copier("copy-words", say("passing.words.copy"), words)));
  const row = make("div", { class: "row" }, code, ...shareSheet(), mailButton);
  const all = make("div", { class: "passing", "data-show": "sending done", "data-hook": "passing" }, row, mail.panel, apart);
  /** @type {HTMLElement} */ (hook("link").closest(".handover")).after(all);
  return { all, mail, words, apart };
}

/** The button for it, where the system has one. */
function shareSheet() {
  const data = () => ({ url: letter.link });
  if (!navigator.share || navigator.canShare?.(data()) === false) return [];
  const sheet = button("share-sheet", say("passing.sheet"));
  sheet.addEventListener("click", () => once(sheet, () => navigator.share(data()).catch((e) => {
    if (e.name !== "AbortError") throw e; // else somebody has changed their mind
  })));
  return [sheet];
}

/**
 * @param {string} name of its hook
 * @param {string} label
 */
const button = (name, label) => make("button", { type: "button", class: "quiet", "data-hook": name }, label);

/**
 * Does what a button is for, one at a time, and says what went wrong.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} act
 */
async function once(button, act) {
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  showAlert("");
  await act().catch((e) => showAlert(explain(e).whole));
  button.removeAttribute("aria-busy");
}

/**
 * A button that copies the text of an element.
 * @param {string} name of its hook
 * @param {string} label
 * @param {HTMLElement} source
 */
function copier(name, label, source) {
  const copy = button(name, label);
  copies(copy, source, () => source.textContent ?? "");
  return copy;
}
