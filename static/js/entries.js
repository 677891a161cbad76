// @ts-check
// The entries of a bundle as a tree of folders, which can be put in another order and searched. It is loaded when there are many,
// or folders (js/download-view.js); a few files need none of it.
//
// To those who listen it is a list whose items tell their level, and how many there are beside them even though not all of them exist,
// with buttons that open folders and save. A tree grid would say the same and take all keys for itself: in it screen readers give up
// their own way of reading, buttons lie a layer deeper, and those that are swiped hardly know it. Buttons in a list are known
// everywhere. In a very long list only those of one row are stops of the Tab key, else one would never come out of it; arrow keys go
// from row to row in every list.

import { hook, make } from "./dom.js";
import { row } from "./download-view.js";
import * as format from "./format.js";
import { style } from "./late.js";
import { say } from "./messages.js";
import { Rows } from "./rows.js";
import { slices } from "./slices.js";
import { Folder, Tree, leaf } from "./tree.js";

/** @import { Actions } from "./download-view.js" */
/** @import { Order, Row } from "./tree.js" */
/** @import { Manifest } from "../worker/engine.d.ts" */

const FEW = 8; // entries that need neither order nor search
const GLANCE = 60; // rows that are shown with all folders open
const TYPING = 120; // milliseconds until one may have ended
const PATIENCE = 300; // until it is said that something takes a while
const ORDERS = /** @type {const} */ (["sent", "name", "size", "date"]);

/** @typedef {{tree: Tree, manifest: Manifest}} Grown */

/**
 * The tree of a manifest.
 * @param {Manifest} manifest
 * @returns {Promise<Grown>}
 */
export async function grow(manifest) {
  await style("tree");
  const tree = await Tree.grown(manifest.entries, format.language, slices(new AbortController().signal));
  tree.open(GLANCE);
  return { tree, manifest };
}

export class Entries {
  #tree;
  #manifest;
  #over = new AbortController();
  /** What it has put beside the list. @type {HTMLElement[]} */
  #added = [];
  #list = hook("entries");
  #rows = new Rows(this.#list, (i) => this.#row(i), () => this.#hold(), this.#over.signal);
  /** @type {Row[]} */
  #shown = [];
  /** @type {Actions} */
  #actions;
  #turn = new AbortController();
  #current = 0; // row whose buttons are stops of the Tab key
  #words = make("input", { type: "search", class: "pass", "data-hook": "filter", "aria-label": say("entries.filter"), placeholder: say("entries.filter"), autocomplete: "off", spellcheck: "false" });
  #order = make("select", { class: "quiet", "data-hook": "sort", "aria-label": say("entries.sort") });
  #found = make("p", { class: "muted small", "data-hook": "found", role: "status" });

  /**
   * @param {Grown} grown
   * @param {Actions} actions
   */
  constructor({ tree, manifest }, actions) {
    this.#tree = tree;
    this.#manifest = manifest;
    this.#actions = actions;
    this.#list.tabIndex = -1;
    const { signal } = this.#over;
    this.#list.addEventListener("keydown", (e) => this.#key(e), { signal });
    this.#list.addEventListener("focusin", (e) => this.#focused(/** @type {HTMLElement} */ (e.target)), { signal });
    this.#addControls();
    this.#refresh();
  }

  /**
   * Shows it anew, after something has changed that can be done.
   * @param {Actions} actions
   */
  update(actions) {
    this.#actions = actions;
    this.#redraw();
  }

  /** Leaves the list to others. */
  end() {
    this.#over.abort();
    this.#turn.abort();
    for (const element of this.#added) element.remove();
    this.#list.hidden = false;
  }

  #addControls() {
    const { base } = this.#tree;
    const inside = make("p", { class: "muted small name" }, make("bdi", { dir: "ltr" }, format.name(base)));
    if (base.indexOf("/") < base.length - 1) this.#added.push(inside); // else the title says it
    if (this.#manifest.entries.length > FEW) this.#addFinder();
    this.#list.before(...this.#added);
    const keys = make("p", { class: "muted small keys" }, say("entries.keys"));
    this.#list.after(keys);
    this.#added.push(keys);
  }

  #addFinder() {
    for (const order of ORDERS) {
      if (order !== "date" || this.#tree.dated) this.#order.append(make("option", { value: order }, say(`entries.orders.${order}`)));
    }
    let timer = 0;
    this.#words.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#refresh(), TYPING);
    });
    this.#order.addEventListener("change", () => this.#refresh());
    this.#added.push(make("div", { class: "row finder" }, this.#words, this.#order), this.#found);
  }

  /**
   * Shows what is wanted, in the order that is wanted, unless that has changed meanwhile.
   * @param {Folder} [turned] that was opened or closed, and is where somebody is
   */
  async #refresh(turned) {
    this.#turn.abort();
    const { signal } = (this.#turn = new AbortController());
    const order = /** @type {Order} */ (this.#order.value || "sent"), words = this.#words.value.trim();
    const slow = setTimeout(() => (this.#found.textContent = say("entries.moment")), PATIENCE);
    this.#list.setAttribute("aria-busy", "true");
    try {
      const step = slices(signal);
      const rows = words ? await this.#tree.search(words, order, step) : await this.#tree.rows(order, step);
      if (signal.aborted) return;
      this.#shown = rows;
      this.#current = turned ? rows.findIndex(({ node }) => node === turned) : 0;
      this.#redraw(turned !== undefined);
      if (turned) this.#go(this.#current, "toggle");
      const most = this.#rows.count < rows.length ? say("entries.most", { n: this.#rows.count }) : "";
      this.#found.textContent = [words ? this.#told(words, rows.length) : "", most].join(" ").trim();
    } catch (e) {
      if (!signal.aborted) throw e;
    } finally {
      clearTimeout(slow);
      if (!signal.aborted) this.#list.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {string} words
   * @param {number} n
   */
  #told(words, n) {
    const all = format.count(this.#manifest.entries.length);
    return n ? say("entries.found", { n, all }) : say("entries.none", { words: format.name(words) });
  }

  #redraw(stay = true) {
    this.#rows.show(this.#shown.length, stay);
    this.#list.hidden = this.#shown.length === 0;
  }

  /** @param {number} i */
  #row(i) {
    const { node, folder, place } = this.#shown[i];
    const { entries } = this.#manifest;
    const element = node instanceof Folder ? this.#folderRow(node)
      : row(this.#manifest, node, this.#actions, folder && !this.#tree.flat ? leaf(entries[node].name) : entries[node].name);
    if (typeof node === "number" && entries[node].modified) element.querySelector(".data")?.append(date(entries[node].modified));
    if (folder) {
      element.ariaLevel = String(folder.level);
      if (this.#tree.folders) element.style.setProperty("--level", String(folder.level - 1));
    }
    element.ariaPosInSet = String(place + 1);
    element.ariaSetSize = String(folder ? folder.shown.length : this.#shown.length);
    element.dataset.row = String(i);
    if (this.#rows.windowed && i !== this.#current) reach(element, false);
    return element;
  }

  /** @param {Folder} folder */
  #folderRow(folder) {
    const { save, whole } = this.#actions;
    const shown = format.name(folder.name);
    const toggle = make("button", { type: "button", class: "twist name", "data-hook": "toggle", "aria-expanded": String(folder.open) }, make("bdi", { dir: "ltr" }, shown));
    toggle.addEventListener("click", () => this.#toggle(folder));
    const name = make("span", { class: "name" }, toggle, " ", make("span", { class: "muted small" }, say("count.files", { n: folder.files })));
    const button = make("button", { type: "button", class: "textual", "data-hook": "folder-download", "aria-label": say("entries.saveFolder", { name: shown }) }, say("download.list.save"));
    button.disabled = !whole;
    button.addEventListener("click", () => save({ indices: this.#tree.within(folder), name: `${leaf(folder.path).slice(0, -1)}.tar` }));
    return make("li", { "data-hook": "folder", "data-name": folder.path }, name, make("span", { class: "data muted" }, format.size(folder.size)), make("span", { class: "acts" }, button));
  }

  /** @param {Folder} folder */
  #toggle(folder) {
    folder.open = !folder.open;
    this.#refresh(folder);
  }

  /**
   * Takes note of the row in which somebody is.
   * @param {HTMLElement} target
   */
  #focused(target) {
    const i = Number(/** @type {HTMLElement | null} */ (target.closest("[data-row]"))?.dataset.row ?? -1);
    if (i < 0 || i === this.#current) return;
    this.#current = i;
    if (this.#rows.windowed) for (const [k, element] of this.#rows.elements) reach(element, k === i);
  }

  /** Sees to it that Tab leads into the list: when its row has gone out of sight, another takes its place. */
  #hold() {
    const { elements, first } = this.#rows;
    if (!this.#rows.windowed || elements.has(this.#current)) return;
    this.#current = first;
    const element = elements.get(first);
    if (element) reach(element, true);
  }

  /**
   * Puts the focus on a row: on the button of that hook, if there is one.
   * @param {number} i
   * @param {string} [name]
   */
  #go(i, name) {
    const element = this.#rows.reveal(Math.min(i, this.#rows.count - 1));
    const buttons = /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("button:not([disabled])"));
    const usable = [...buttons].filter((button) => button.checkVisibility());
    const target = usable.find((button) => column(button.dataset.hook) === column(name)) ?? usable[0] ?? element;
    if (target === element) element.tabIndex = -1;
    target.focus();
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || !this.#rows.count) return;
    const at = Math.min(this.#current, this.#rows.count - 1), last = this.#rows.count - 1;
    const page = Math.max(1, Math.floor(this.#list.clientHeight / 60));
    const towards = getComputedStyle(this.#list).direction === "rtl" ? { ArrowLeft: "in", ArrowRight: "out" } : { ArrowRight: "in", ArrowLeft: "out" };
    const way = towards[/** @type {keyof typeof towards} */ (e.key)];
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: last }[e.key] ?? (way ? this.#turned(at, way) : undefined);
    if (to === undefined) return;
    e.preventDefault();
    this.#go(Math.max(0, Math.min(last, to)), /** @type {HTMLElement} */ (e.target).dataset.hook);
  }

  /**
   * Goes into a folder or out of it, which opens and closes it. Returns the row to go to.
   * @param {number} at
   * @param {string} way
   */
  #turned(at, way) {
    const { node, folder } = this.#shown[at];
    if (node instanceof Folder && node.open !== (way === "in")) {
      this.#toggle(node);
      return at;
    }
    if (way === "in") return node instanceof Folder ? at + 1 : at;
    const parent = this.#shown.findLastIndex((row, i) => i < at && row.node === folder);
    return parent < 0 ? at : parent;
  }
}

/**
 * Makes the buttons of a row stops of the Tab key, or not.
 * @param {HTMLElement} element
 * @param {boolean} stops
 */
function reach(element, stops) {
  for (const button of element.querySelectorAll("button")) button.tabIndex = stops ? 0 : -1;
}

/**
 * What the buttons of files and of folders have in common.
 * @param {string} [name] of a hook
 */
const column = (name) => name?.slice(name.indexOf("-") + 1);

/** @param {number} unix seconds */
function date(unix) {
  const then = new Date(unix * 1000);
  return make("time", { class: "small", datetime: then.toISOString() }, then.toLocaleDateString(format.language, { dateStyle: "medium" }));
}
