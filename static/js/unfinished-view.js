// @ts-check
// What the page shows of uploads that ended before they were finished, and how one goes on with them.

import { fromFiles } from "./collect.js";
import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { load, say, sayWith } from "./messages.js";
import { askFirst } from "./sure.js";
import { explain } from "./trouble.js";
import * as unfinished from "./unfinished.js";

/** @import { Item } from "./types.d.ts" */
/** @import { Match } from "./match.js" */
/** @import { Offer } from "./unfinished.js" */

/**
 * @typedef {object} Wishes what the page does
 * @property {(offer: Offer, items: Item[]) => void} resume
 * @property {(offer: Offer) => void} show an upload that is complete
 * @property {() => boolean} idle whether nothing else was begun
 */

/**
 * Shows what there is to go on with. What can go on by itself does.
 * @param {string} engine its build
 * @param {Wishes} wishes
 */
export async function offerAll(engine, wishes) {
  const offers = await unfinished.offers();
  if (offers.length) await load("unfinished");
  if (!wishes.idle()) return;
  new Offers(engine, wishes).show(offers);
  const first = offers.find(({ share, upload }) => !share && upload.engine === engine && upload.entries.length);
  const found = first && (await unfinished.reopen(first, false).catch(() => null));
  if (found && !found.missing.length && wishes.idle()) wishes.resume(first, found.items);
}

class Offers {
  #list = hook("unfinished");
  #engine;
  #wishes;

  /**
   * @param {string} engine
   * @param {Wishes} wishes
   */
  constructor(engine, wishes) {
    this.#engine = engine;
    this.#wishes = wishes;
  }

  /** @param {Offer[]} offers */
  show(offers) {
    const shown = offers.map(({ id, share }) => `${id} ${share !== null}`).join();
    if (this.#list.dataset.shown === shown) return; // what has been chosen for them stays
    this.#list.dataset.shown = shown;
    this.#list.replaceChildren(...offers.map((offer) => this.#row(offer)));
    this.#list.hidden = !offers.length;
  }

  /** @param {Offer} offer */
  #row(offer) {
    const { id, upload, share } = offer;
    const outdated = upload.engine !== this.#engine;
    const text = say(share ? "unfinished.complete" : outdated ? "unfinished.outdated" :
      canReopen(offer) ? "unfinished.reopen" : "unfinished.choose");
    const buttons = share ? [this.#button(offer, "show", () => this.#show(offer))] :
      canReopen(offer) ? [this.#button(offer, "continue", () => this.#reopen(offer))] : this.#inputs(offer);
    return make("li", { "data-hook": "offer", "data-id": id },
      make("p", { class: "name" }, ...title(offer)),
      make("p", { class: "muted small" }, facts(offer)),
      make("p", { class: "small" }, text),
      make("div", { class: "row" }, ...buttons, this.#forgetButton(offer)),
      make("p", { class: "alert", role: "alert", "data-hook": "offer-error", hidden: "" }));
  }

  /**
   * Says what stands in the way.
   * @param {Offer} offer
   * @param {string} text
   */
  #say(offer, text) {
    const alert = /** @type {HTMLElement | null} */ (this.#rowOf(offer)?.querySelector("[data-hook=offer-error]"));
    if (!alert) return;
    alert.textContent = text;
    alert.hidden = !text;
  }

  /**
   * @param {Offer} offer
   * @param {"continue" | "show"} what
   * @param {() => void} act
   */
  #button(offer, what, act) {
    const label = say(`unfinished.${what}`);
    const button = make("button", { type: "button", class: "quiet", ...named(offer, what, label) }, label);
    button.addEventListener("click", act);
    return button;
  }

  /**
   * What to choose the same files or folders with.
   * @param {Offer} offer
   */
  #inputs(offer) {
    const { entries } = offer.upload;
    const inFolder = entries.some(({ name }) => name.includes("/"));
    const single = entries.some(({ name }) => !name.includes("/"));
    return [...(single ? [this.#input(offer, "files")] : []), ...(inFolder ? [this.#input(offer, "folder")] : [])];
  }

  /**
   * @param {Offer} offer
   * @param {"files" | "folder"} what
   */
  #input(offer, what) {
    const label = say(`unfinished.${what}`);
    const input = make("input", { type: "file", [what === "files" ? "multiple" : "webkitdirectory"]: "", ...named(offer, what, label) });
    input.addEventListener("change", () => {
      const items = fromFiles(input.files ?? []);
      input.value = "";
      if (items.length) this.#take(offer, unfinished.choose(offer, items));
    });
    return make("label", { class: "choose" }, input, make("span", {}, label));
  }

  /** @param {Offer} offer */
  #show(offer) {
    this.#wishes.show(offer);
    unfinished.erase(offer.id).catch(() => {}); // else it is offered again
  }

  /** @param {Offer} offer */
  async #reopen(offer) {
    const found = await unfinished.reopen(offer, true).catch(() => null);
    if (found) return this.#take(offer, found);
    // The browser does not give the files again, or the person does not allow it: they can be chosen all the same.
    offer.handles = [];
    const row = this.#row(offer);
    this.#rowOf(offer)?.replaceWith(row);
    row.querySelector("input")?.focus();
  }

  /**
   * Goes on if all is there, and says what is missing if not.
   * @param {Offer} offer
   * @param {Match} found
   */
  #take(offer, { items, missing, changed }) {
    if (!missing.length) return this.#wishes.resume(offer, items);
    if (changed.length) return this.#say(offer, say("unfinished.changed", { name: format.name(changed[0].name) }));
    const some = items.some(({ file }) => file?.size);
    const values = { n: missing.length, name: format.name(missing[0].name) };
    this.#say(offer, say(some ? "unfinished.missing" : "unfinished.others", values));
  }

  /** @param {Offer} offer */
  #forgetButton(offer) {
    const label = say("unfinished.forget");
    const button = make("button", { type: "button", class: "textual", ...named(offer, "forget", label) }, label);
    const ask = () => say(offer.share ? "unfinished.forgetLink" : "unfinished.forgetSure");
    askFirst(button, names(offer), ask, () => void this.#forget(offer));
    return button;
  }

  /** @param {Offer} offer */
  async #forget(offer) {
    try {
      await (offer.share ? unfinished.erase(offer.id) : unfinished.forget(offer));
    } catch (e) {
      return this.#say(offer, explain(e).whole);
    }
    this.#rowOf(offer)?.remove();
    delete this.#list.dataset.shown;
    this.#list.hidden = !this.#list.childElementCount;
    hook("status").textContent = say("unfinished.forgotten");
    hook("title").focus();
  }

  /**
   * @param {Offer} offer
   * @returns {HTMLElement | null}
   */
  #rowOf({ id }) {
    return this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }
}

/**
 * Whether it may go on without choosing anything.
 * @param {Offer} offer
 */
const canReopen = ({ handles, upload }) => handles.length > 0 || upload.kind === "note" || upload.entries.every(({ size }) => size === 0);

/**
 * The top-level names of what is in it. A note has none.
 * @param {Offer} offer
 */
function tops({ upload }) {
  if (upload.kind === "note") return [];
  return [...new Set(upload.entries.map(({ name }) => name.split("/")[0]))];
}

/** @param {Offer} offer */
function title(offer) {
  const [first, ...rest] = tops(offer);
  if (first === undefined) return [say("unfinished.note")];
  const name = make("bdi", { dir: "ltr" }, format.name(first));
  const words = sayWith(offer.share ? "unfinished.sent" : "unfinished.title", { name });
  return rest.length ? [...words, " ", say("count.more", { n: rest.length })] : words;
}

/**
 * The same as a text.
 * @param {Offer} offer
 */
const names = (offer) => {
  const [first, ...rest] = tops(offer);
  if (first === undefined) return say("upload.done.note");
  return rest.length ? `${format.name(first)} ${say("count.more", { n: rest.length })}` : format.name(first);
};

/**
 * The attributes of a control of an offer, which for whoever hears it alone says of which.
 * @param {Offer} offer
 * @param {string} what
 * @param {string} label
 */
const named = (offer, what, label) => ({ "data-hook": `offer-${what}`, "aria-label": `${label}: ${names(offer)}` });

/** @param {Offer} offer */
function facts({ upload, arrived, at, share }) {
  const size = format.size(upload.entries.reduce((n, entry) => n + entry.size, 0));
  const moment = format.moment(at / 1000);
  if (share) return say("unfinished.facts", { size, moment });
  if (arrived === null) return say("unfinished.unknown", { size, moment });
  return say("unfinished.arrived", { size, moment, arrived: format.size(arrived) });
}
