// @ts-check
// The viewer: a dialog in which the things of a share are looked at, one at a time, without being saved. What may be shown and how is
// in shown.js. To look at something takes a download, as saving does, and one serves both; where downloads are limited a person is
// asked before the first.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { style } from "./late.js";
import { showGallery } from "./gallery.js";
import { kindOf } from "./kinds.js";
import { load, say } from "./messages.js";
import { Refusal, show } from "./shown.js";
import { explain } from "./trouble.js";

/** @import { Manifest, OpenedEntry } from "../worker/engine.d.ts" */
/** @import { Remote } from "./remote.js" */

/**
 * @typedef {object} Page what the viewer needs of the page
 * @property {Remote} worker
 * @property {() => Manifest} manifest
 * @property {() => number | null} costs how many downloads are left, if looking takes one of them and they are limited
 * @property {() => Promise<void>} take takes the download
 * @property {(index: number) => void} save
 * @property {(e: any) => Promise<void>} fail what has to be told outside of the viewer
 */

const OUTSIDE = new Set(["not-found", "no-downloads-left", "given-up", "not-loaded", "no-engine"]); // it is the share that cannot be had, or the page
const PROGRESS_AFTER = 500; // milliseconds

/**
 * Brings what a viewer needs.
 * @param {Page} page
 */
export async function viewer(page) {
  await Promise.all([load("preview"), style("preview")]);
  return new Viewer(page);
}

export class Viewer {
  #page;
  #dialog;
  #title = make("h2", { id: "viewer-title", tabindex: "-1" });
  #remark = make("p", { class: "muted small", "data-hook": "viewer-remark" });
  #body = make("div", { class: "stage", "data-hook": "viewer-body" });
  #beside = make("span", { class: "row" });
  #steps = make("span", { class: "row" });
  #save = button("save", "press");
  #close = button("close", "quiet");
  #single = button("open", "quiet");
  /** Those that can be shown. @type {number[]} */
  #list = [];
  #at = 0;
  #turn = 0; // which of them is being opened: one that was left must not come up
  #end = () => {};

  /**
   * Use viewer.
   * @param {Page} page
   */
  constructor(page) {
    this.#page = page;
    this.#dialog = make("dialog", { class: "viewer", "data-hook": "viewer", "aria-labelledby": "viewer-title" });
    for (const [name, step] of /** @type {["previous" | "next", number][]} */ ([["previous", -1], ["next", 1]])) {
      const to = button(name, "quiet");
      to.addEventListener("click", () => this.#step(step));
      this.#steps.append(to);
    }
    this.#dialog.append(
      make("div", { class: "top" }, this.#title, this.#close),
      this.#body,
      this.#remark,
      make("div", { class: "row tools" }, this.#steps, this.#beside, this.#save),
    );
    document.querySelector("main")?.append(this.#dialog);
    this.#single.dataset.hook = "preview";
    this.#single.dataset.show = "ready done";
    this.#single.addEventListener("click", () => this.open(0));
    this.#close.addEventListener("click", () => this.#dialog.close());
    this.#save.addEventListener("click", () => {
      const index = this.#list[this.#at];
      this.#dialog.close();
      this.#page.save(index); // while the click still counts
    });
    this.#dialog.addEventListener("close", () => this.#left());
    this.#dialog.addEventListener("keydown", (e) => this.#key(e));
  }

  /**
   * Whether an entry can be looked at.
   * @param {OpenedEntry} entry
   */
  previewable = (entry) => kindOf(entry) !== null;

  /**
   * Shows pictures, if there are some, and puts a button that looks at a single file beside the one that saves it.
   * @param {Manifest} manifest
   * @param {boolean} whole whether it has arrived
   */
  offer(manifest, whole) {
    const { kind, entries } = manifest;
    showGallery(this.#page.worker, manifest, this.previewable, whole ? this.open : null);
    this.#single.remove();
    this.#single.disabled = !whole;
    if (kind === "file" && this.previewable(entries[0])) hook("download").after(this.#single);
  }

  /**
   * Opens the viewer on an entry.
   * @param {number} index
   */
  open = (index) => {
    const { entries } = this.#page.manifest();
    this.#list = entries.flatMap((entry, i) => (this.previewable(entry) ? [i] : []));
    this.#at = this.#list.indexOf(index);
    this.#steps.hidden = this.#list.length < 2;
    this.#dialog.toggleAttribute("data-several", this.#list.length > 1);
    this.#dialog.showModal();
    this.#show();
    this.#title.focus();
  };

  /** @param {number} step */
  #step(step) {
    const { length } = this.#list;
    this.#at = (this.#at + step + length) % length;
    this.#show();
  }

  #show() {
    this.#clear();
    const index = this.#list[this.#at];
    const entry = this.#page.manifest().entries[index];
    const name = format.name(entry.name);
    this.#title.replaceChildren(make("bdi", { dir: "ltr", class: "name" }, name.slice(name.lastIndexOf("/") + 1)));
    this.#dialog.dataset.kind = kindOf(entry) ?? "";
    this.#save.setAttribute("aria-label", say("download.list.saveLabel", { name }));
    const left = this.#page.costs();
    if (left === 0) this.#tell("error", make("p", { role: "alert" }, say("preview.none")));
    else if (left !== null) this.#ask(left, index, entry);
    else this.#open(index, entry);
  }

  /**
   * @param {number} left
   * @param {number} index
   * @param {OpenedEntry} entry
   */
  #ask(left, index, entry) {
    const yes = button("take", "press");
    yes.addEventListener("click", () => {
      this.#title.focus();
      this.#open(index, entry);
    });
    this.#tell("asking", make("p", {}, say("preview.ask", { n: left })), yes);
  }

  /**
   * @param {number} index
   * @param {OpenedEntry} entry
   */
  async #open(index, entry) {
    const turn = ++this.#turn;
    const status = make("p", { class: "muted", role: "status" }, say("preview.opening"));
    this.#tell("loading", status);
    const begun = performance.now();
    const progress = (/** @type {number} */ done, /** @type {number} */ total) => {
      if (performance.now() - begun > PROGRESS_AFTER) status.textContent = say("progress.amount", { done: format.size(done), total: format.size(total) });
    };
    const failed = (/** @type {any} */ e) => turn === this.#turn && this.#fail(e);
    try {
      await this.#page.take();
      if (turn !== this.#turn) return;
      const shown = await show({ worker: this.#page.worker, index, entry, progress, failed });
      if (turn !== this.#turn) return shown.close();
      this.#end = shown.close;
      this.#beside.replaceChildren(...shown.beside);
      this.#remark.textContent = shown.remark;
      this.#tell("shown", shown.element);
    } catch (e) {
      failed(e);
    }
  }

  /** @param {any} e */
  #fail(e) {
    if (e.code === "left") return;
    if (OUTSIDE.has(e.code)) {
      this.#dialog.close();
      return void this.#page.fail(e);
    }
    this.#clear();
    this.#tell("error", make("p", { role: "alert" }, e instanceof Refusal ? e.message : explain(e).whole));
  }

  /**
   * @param {"asking" | "loading" | "shown" | "error"} state
   * @param {HTMLElement[]} content
   */
  #tell(state, ...content) {
    this.#dialog.dataset.state = state;
    this.#body.replaceChildren(...content);
  }

  /** Nothing is shown any more, nor will be. */
  #clear() {
    this.#turn++;
    this.#end();
    this.#end = () => {};
    this.#body.replaceChildren();
    this.#beside.replaceChildren();
    this.#remark.textContent = "";
  }

  #left() {
    if (this.#dialog.open) return; // it was opened again before this was told
    this.#clear();
    this.#page.worker.call("leave", []).catch(() => {});
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const forward = getComputedStyle(this.#dialog).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if ((e.key !== "ArrowLeft" && e.key !== "ArrowRight") || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (this.#steps.hidden || (e.target instanceof Element && e.target.closest("video, audio"))) return; // which seek by them
    e.preventDefault();
    this.#step(e.key === forward ? 1 : -1);
  }
}

/**
 * @param {"open" | "take" | "save" | "close" | "previous" | "next"} what
 * @param {"press" | "quiet"} look
 */
function button(what, look) {
  return make("button", { type: "button", class: look, "data-hook": `viewer-${what}` }, say(`preview.${what}`));
}
