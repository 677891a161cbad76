// @ts-check
// What the download worker keeps on this device of a share, for how long, and which hoard a save gets.
//
// There is a lasting hoard, with which another page can go on, for the whole of a share; and a passing one for what is staged
// and has none: one entry, or a share that another tab is saving as well, whose hoard is its own.
//
// What is staged (js/save-stage.js) goes to the browser from a plain file, which would lie open on the disk for as long as the line
// takes. So all of it is gathered first, sealed and in a hoard, or in memory if it is little, and the plain file is made when it is
// there and verified. That takes room for both; where that is not, the plain file grows as the bytes arrive.

import * as partial from "../js/partial.js";
import { Hoard } from "./hoard.js";

/** @import { Share } from "../js/types.d.ts" */

export const LITTLE = 16 << 20; // bytes that are gathered in memory
const WORTH = 1 << 20; // sealed bytes, of which fewer are fetched again in no time

/** How a save ended after which nothing is gone on with. What is damaged, or fills the disk, is better begun anew. */
const LAST = new Set(["complete", "cancelled", "not-found", "damaged", "hostile", "disk-full", "given-up"]);

/** @typedef {{hoard: Hoard, name: string, release: (() => void) | null}} Keep */

export class Keeper {
  #id;
  /** @type {Keep | null} */
  #lasting = null;
  /** @type {Keep | null} */
  #passing = null;
  /** There is no room, or no way to keep anything. */
  #full = false;
  /** Another tab keeps this share. */
  #elsewhere = false;

  /** @param {string} id of the share */
  constructor(id) {
    this.#id = id;
  }

  /** How many sealed bytes there are to go on with. */
  get bytes() {
    return this.#lasting?.hoard.bytes ?? 0;
  }

  /** Takes up what earlier pages have kept, unless this or another tab is at it. Returns what goes with it, or null. */
  async find() {
    const kept = () => partial.find(this.#id).catch(() => null);
    if (this.#lasting || !(await kept())) return null;
    const release = await partial.claim(this.#id);
    if (!release) return null;
    const { hoard } = (this.#lasting = this.#last(release));
    await partial.folderOf(this.#id, false).then(() => hoard.load()).catch(() => {}); // only the ticket was kept
    return kept();
  }

  /**
   * Keeps a ticket before it is used, so that another page can go on with it however this one ends. Where nothing can be kept, or
   * another tab is at it, that is so.
   * @param {Share} share
   * @param {string} ticket
   */
  async reserve(share, ticket) {
    const { id } = share;
    const release = this.#lasting?.release ?? (await partial.claim(id, false));
    this.#elsewhere = !release;
    if (!release) return;
    this.#lasting ??= this.#last(release);
    await partial.keep(id, lasts(share), { ticket, file: null }).catch(() => {});
  }

  /**
   * A hoard for a save, or null if there is none for it. staged says that its bytes are staged, and plain how many they are.
   * @param {{share: Share, ticket: string, file: FileSystemFileHandle | null, whole: boolean, staged: boolean, plain: number}} o
   */
  async provide({ share, ticket, file, whole, staged, plain }) {
    if (this.#full || share.size < WORTH) return null;
    const all = staged && plain > LITTLE;
    if (whole && this.#lasting) {
      const { hoard } = this.#lasting;
      if (file) await partial.keep(share.id, lasts(share), { ticket, file }).catch(() => {});
      hoard.all = false;
      if (!all) return hoard;
      hoard.all = await hoard.ready(plain + share.size - hoard.bytes);
      hoard.full ||= !hoard.all;
      if (hoard.all || hoard.bytes) return hoard;
      this.#full = true;
    }
    if (!all || this.#full || (whole && !this.#elsewhere)) return null;
    this.#passing = await this.#pass();
    const { hoard } = this.#passing;
    hoard.all = await hoard.ready(2 * plain);
    return hoard.all ? hoard : null;
  }

  /**
   * Wipes what is not needed any more when a save has ended.
   * @param {string} how a code, or "complete"
   * @param {boolean} whole
   */
  async settle(how, whole) {
    this.#full ||= how === "disk-full"; // the browser was wrong about its room
    if (this.#passing) await this.#wipe(this.#passing);
    this.#passing = null;
    if (!this.#lasting || !LAST.has(how) || (!whole && (how === "complete" || how === "cancelled"))) return;
    await this.#wipe(this.#lasting);
    this.#lasting = null;
  }

  /** Wipes all that is kept of the share, unless another tab is at it. */
  async forget() {
    if (this.#lasting) return this.settle("cancelled", true);
    const found = await partial.find(this.#id).catch(() => null);
    const release = found && (await partial.claim(this.#id));
    if (release) await partial.erase(this.#id).finally(release);
  }

  /**
   * @param {() => void} release
   * @returns {Keep}
   */
  #last(release) {
    return { name: this.#id, release, hoard: new Hoard(() => partial.folderOf(this.#id, true)) };
  }

  /** @returns {Promise<Keep>} */
  async #pass() {
    const name = crypto.randomUUID();
    return { name, release: await partial.claim(name), hoard: new Hoard(() => partial.folderOf(name, true)) };
  }

  /** @param {Keep} keep */
  async #wipe({ hoard, name, release }) {
    hoard.close();
    const erase = hoard.begun ? partial.erase : partial.forget; // whose line was fast has no folder
    if (release) await erase(name).catch(() => {}).finally(release);
  }
}

/**
 * For how many seconds the server may have a share: by its own clock, for this device's may be another. One that is still being sent
 * has its time before it once it is complete.
 * @param {Share} share
 */
const lasts = ({ now, expires, state, lifetime }) => expires - now + (state === "open" ? lifetime : 0);
