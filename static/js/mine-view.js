// @ts-check
// What the page shows of one share: a row of the list, and what one can do with it.

import { base } from "./base.js";
import { copies } from "./copy.js";
import { make } from "./dom.js";
import * as format from "./format.js";
import { leftOf, linkOf } from "./keepsake.js";
import { say } from "./messages.js";
import { askFirst } from "./sure.js";

/** @import { Keepsake } from "./types.d.ts" */

/**
 * @typedef {object} Row
 * @property {Keepsake} keepsake
 * @property {boolean} stored whether it is in the list that this browser keeps; else it is an upload to go on with, and nothing more
 * @property {"" | "here" | "elsewhere"} sending unfinished, and to be gone on with here; or another tab is at it
 * @property {boolean} doubted whether the server could not be asked
 * @property {number} asked milliseconds, when the server answered this page; 0: not yet
 *
 * @typedef {object} Acts what the page does
 * @property {(view: View) => void} qr
 * @property {(view: View) => void} change
 * @property {(view: View) => void} revoke
 * @property {(view: View) => void} forget
 */

export class View {
  #until = make("span", { "data-hook": "until" });
  #left = make("span", { "data-hook": "left" });
  #facts = make("p", { class: "facts" });
  #alert = make("p", { class: "alert", role: "alert", "data-hook": "share-error", hidden: "" });
  #buttons;
  /** Where what is opened for it goes. */
  panel = make("div");

  /**
   * @param {Row} row
   * @param {Acts} acts
   */
  constructor(row, acts) {
    this.row = row;
    const { keepsake } = row;
    this.#buttons = {
      copy: this.#button("copy", "quiet"),
      qr: this.#button("qr", "textual"),
      go: make("a", { class: "textual", href: `${base}/`, "data-hook": "share-go", ...this.#label("go") }, say("mine.row.go")),
      extend: this.#button("extend", "textual"),
      revoke: this.#button("revoke", "textual"),
      forget: this.#button("forget", "textual"),
    };
    const { copy, qr, extend, revoke, forget } = this.#buttons;
    qr.addEventListener("click", () => acts.qr(this));
    copies(copy, () => this.#shown(), () => linkOf(this.row.keepsake));
    extend.addEventListener("click", () => acts.change(this));
    const of = namesOf(keepsake);
    askFirst(revoke, of, () => say("mine.row.revokeSure"), () => acts.revoke(this));
    askFirst(forget, of, () => say(this.#takesBack() ? "mine.row.revokeSure" : "mine.row.forgetSure"), () => acts.forget(this));
    this.element = make("li", { "data-hook": "share", "data-id": keepsake.id },
      make("p", { class: "name" }, ...title(keepsake)),
      make("p", {}, this.#until, " ", this.#left),
      this.#facts,
      make("div", { class: "row" }, ...Object.values(this.#buttons)),
      this.panel,
      this.#alert);
    this.show();
  }

  /** Shows what is known by now. Buttons stay, for one of them may have the focus. */
  show() {
    const { keepsake, sending, stored, doubted, asked } = this.row;
    const { state, taken } = keepsake;
    const left = leftOf(keepsake);
    this.element.dataset.state = state;
    this.element.toggleAttribute("data-asked", asked > 0);
    this.#until.textContent = until(this.row);
    this.#left.textContent = state === "ready" ? downloads(keepsake) : "";
    Object.assign(this.#left.dataset, { taken, left: left ?? "any" });
    this.#facts.replaceChildren(...facts(keepsake, doubted).map((fact) => make("span", {}, fact)));
    const { copy, qr, go, extend, revoke, forget } = this.#buttons;
    copy.hidden = qr.hidden = state === "gone";
    go.hidden = state !== "open" || sending !== "here";
    extend.hidden = state !== "ready";
    revoke.hidden = state === "gone" || sending !== "" && state === "open";
    forget.hidden = state === "open" && sending === "elsewhere" || !stored && !sending;
    if (state !== "ready") this.panel.replaceChildren();
  }

  /**
   * Says what stands in the way, or nothing any more.
   * @param {string} text
   */
  trouble(text) {
    this.#alert.textContent = text;
    this.#alert.hidden = !text;
  }

  /** Whether to forget it is to give it up: what is not finished is of no use to anyone. */
  #takesBack() {
    return this.row.sending === "here" && this.row.keepsake.state === "open";
  }

  /**
   * @param {"copy" | "qr" | "extend" | "revoke" | "forget"} what
   * @param {string} look
   */
  #button(what, look) {
    const name = what === "extend" || what === "revoke" ? what : `share-${what}`;
    return make("button", { type: "button", class: look === "quiet" ? "quiet" : "textual", "data-hook": name, ...this.#label(what) }, say(`mine.row.${what}`));
  }

  /**
   * For whoever hears a control alone it says of which share.
   * @param {"copy" | "qr" | "go" | "extend" | "revoke" | "forget"} what
   */
  #label(what) {
    return { "aria-label": `${say(`mine.row.${what}`)}: ${namesOf(this.row.keepsake)}` };
  }

  /** Where the link can be copied by hand. */
  #shown() {
    const input = make("input", { class: "link", readonly: "", dir: "ltr", "aria-label": `${say("mine.row.link")}: ${namesOf(this.row.keepsake)}` });
    input.value = linkOf(this.row.keepsake);
    this.panel.replaceChildren(input);
    return input;
  }

  /** @param {"extend" | "forget"} what */
  focus(what) {
    this.#buttons[what].focus();
  }

  /** What opens the code of the link. */
  get opener() {
    return this.#buttons.qr;
  }
}

/**
 * The names at the top level, each within its own direction.
 * @param {Keepsake} keepsake
 */
function title({ kind, names, more }) {
  if (kind === "note") return [say("mine.row.note")];
  const all = names.flatMap((name, i) => [...(i ? [", "] : []), make("bdi", { dir: "ltr" }, format.name(name))]);
  return more ? [...all, " ", say("count.more", { n: more })] : all;
}

/**
 * The same as a short text.
 * @param {Keepsake} keepsake
 */
export function namesOf({ kind, names, more }) {
  if (kind === "note") return say("mine.row.note");
  const others = names.length - 1 + more;
  const first = format.name(names[0] ?? "");
  return others > 0 ? `${first} ${say("count.more", { n: others })}` : first;
}

/** @param {Row} row */
function until({ keepsake: { state, gone, expires }, sending }) {
  if (state === "gone") return say(`mine.gone.${gone || "takenDown"}`);
  if (state === "open") return say(sending === "here" ? "mine.row.unfinished" : sending ? "mine.row.elsewhere" : "mine.row.open");
  const left = Math.max(1, (expires - Date.now()) / 1000);
  return say("mine.row.until", { time: format.span(left), moment: format.moment(expires / 1000) });
}

/** @param {Keepsake} keepsake */
function downloads(keepsake) {
  const { taken, maxDownloads } = keepsake;
  const left = leftOf(keepsake);
  if (left === null) return taken ? say("mine.row.taken", { n: taken }) : say("mine.row.untaken");
  return say("mine.row.left", { taken, max: maxDownloads, left });
}

/**
 * @param {Keepsake} keepsake
 * @param {boolean} doubted
 */
function facts({ kind, files, size, created, password, seen }, doubted) {
  const all = [];
  if (kind !== "note") all.push(say("count.files", { n: files }), format.size(size));
  all.push(say("mine.row.sent", { moment: format.moment(created / 1000) }));
  if (password) all.push(say("mine.row.password"));
  if (doubted) all.push(say("mine.row.seen", { moment: format.moment(seen / 1000) }));
  return all;
}
