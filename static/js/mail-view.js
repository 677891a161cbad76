// @ts-check
// A mail that tells of a share. Mail is read by servers on its way and kept in mailboxes, so it says where the share is and not how it is
// opened, unless somebody insists: the part of the link after "#" is shown beside, to be sent another way (missing-view.js takes it).

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { say } from "./messages.js";
import { mailto, split } from "./missing.js";

/** @import { Letter } from "./pass-on.js" */

/**
 * Makes the button that shows the panel, and the panel.
 * @param {HTMLButtonElement} button
 * @param {(name: string, label: string, source: HTMLElement) => HTMLElement} copier makes a button that copies a text
 */
export function mailPanel(button, copier) {
  const key = make("p", { class: "piece", "data-hook": "missing" });
  const half = make("div", {},
    make("p", {}, say("passing.mail.half")),
    make("div", { class: "row" }, key, copier("copy-missing", say("passing.mail.copy"), key)));
  const whole = make("input", { type: "checkbox", "data-hook": "insist", "aria-describedby": "insist" });
  const write = make("a", { class: "quiet", "data-hook": "write-mail" }, say("passing.mail.write"));
  const panel = make("div", { class: "panel", id: "mail", hidden: "" },
    half,
    make("div", {},
      make("label", { class: "tick" }, whole, make("span", {}, say("passing.mail.insist"))),
      make("p", { class: "muted small", id: "insist" }, say("passing.mail.risk"))),
    make("div", { class: "row" }, write));
  button.setAttribute("aria-controls", panel.id);
  const open = (/** @type {boolean} */ shown) => {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
  };
  open(false);
  button.addEventListener("click", () => open(panel.hidden));

  /** @type {Letter} */
  let letter = { link: "", posted: null, guarded: false };
  const fill = () => {
    key.textContent = split(letter.link).key;
    half.hidden = whole.checked;
    write.href = address(letter, whole.checked);
  };
  whole.addEventListener("change", fill);
  return {
    panel,
    /** @param {Letter} now */
    update(now) {
      letter = now;
      if (!now.link) whole.checked = false; // asked anew for another link
      if (!now.link) open(false);
      fill();
    },
  };
}

/**
 * @param {Letter} letter
 * @param {boolean} whole
 */
function address({ link, posted, guarded }, whole) {
  const lines = [posted ? say("passing.mail.until", { moment: moment(posted.share.expires) }) : say("passing.mail.lasts", { time: lifetime() })];
  if (whole) lines.push(link);
  else lines.push(split(link).place, say("passing.mail.rest"));
  if (posted?.share.password ?? guarded) lines.push(say("passing.mail.password"));
  return mailto(say("passing.mail.subject"), lines.join("\n\n"));
}

/** That was chosen for what is still being sent. */
const lifetime = () => format.span(Number(/** @type {HTMLSelectElement} */ (hook("expiry")).value));

/**
 * A moment as people in other places read it.
 * @param {number} unix seconds
 */
const moment = (unix) => new Date(unix * 1000).toLocaleString(format.language, {
  day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
