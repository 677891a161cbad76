// @ts-check
// The gallery: thumbnails of a share's pictures, which came with their names, in a grid above the list. They are whatever their sender
// made of them: what is no small picture is left out.

import { dimensions } from "./dimensions.js";
import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { imageType } from "./kinds.js";
import { fill } from "./list.js";
import { say } from "./messages.js";

/** @import { Manifest, OpenedEntry } from "../worker/engine.d.ts" */
/** @import { Remote } from "./remote.js" */

const TYPES = new Set(["image/png", "image/jpeg", "image/webp"]);
const LONGEST = 1024; // pixels of a side
const TOGETHER = 50; // that are asked for at once

/** What is shown now. @type {HTMLElement | null} */
let shown = null;

/**
 * Shows the gallery of a share, if it has pictures.
 * @param {Remote} worker
 * @param {Manifest} manifest
 * @param {(entry: OpenedEntry) => boolean} previewable whether one can be looked at: others have no tile, which would do nothing
 * @param {((index: number) => void) | null} open is called to look at one; null if that cannot be done yet
 */
export function showGallery(worker, { entries }, previewable, open) {
  shown?.remove();
  const pictured = entries.flatMap((entry, i) => (entry.pictured && previewable(entry) ? [i] : []));
  if (!pictured.length) return void (shown = null);
  const pictures = new Pictures(worker);
  shown = make("ul", { class: "gallery", role: "list", "data-hook": "gallery", "data-show": "ready done", "aria-label": say("preview.gallery") });
  fill(shown, pictured.length, (n) => tile(pictured[n]));
  const chosen = /** @type {HTMLElement} */ (hook("entries").parentElement);
  chosen.before(shown);

  /** @param {number} index */
  function tile(index) {
    const name = format.name(entries[index].name);
    const image = make("img", { alt: "" });
    const button = make("button", { type: "button", "data-hook": "thumbnail", "aria-label": say("preview.openLabel", { name }), title: name }, image);
    button.disabled = open === null;
    button.addEventListener("click", () => open?.(index));
    const item = make("li", {}, button);
    pictures.bring(index, image, () => item.remove());
    return item;
  }
}

/** Brings thumbnails, some at a time. */
class Pictures {
  #worker;
  /** @type {{index: number, image: HTMLImageElement, none: () => void}[]} */
  #wanted = [];

  /** @param {Remote} worker */
  constructor(worker) {
    this.#worker = worker;
  }

  /**
   * @param {number} index
   * @param {HTMLImageElement} image where it goes
   * @param {() => void} none is called if there is none that may be shown
   */
  bring(index, image, none) {
    if (!this.#wanted.length) queueMicrotask(() => this.#flush());
    this.#wanted.push({ index, image, none });
  }

  async #flush() {
    const wanted = this.#wanted.splice(0);
    while (wanted.length) {
      const some = wanted.splice(0, TOGETHER);
      /** @type {Uint8Array<ArrayBuffer>[]} */
      const pictures = await this.#worker.call("thumbnails", [some.map(({ index }) => index)]).catch(() => []);
      for (const [i, { image, none }] of some.entries()) draw(image, pictures[i], none);
    }
  }
}

/**
 * @param {HTMLImageElement} image
 * @param {Uint8Array<ArrayBuffer> | undefined} bytes
 * @param {() => void} none
 */
function draw(image, bytes, none) {
  const type = bytes && imageType(bytes);
  const size = type && TYPES.has(type) ? dimensions(type, bytes) : null;
  if (!type || !bytes || !size || Math.max(size.width, size.height) > LONGEST) return none();
  const src = URL.createObjectURL(new Blob([bytes], { type }));
  const free = () => URL.revokeObjectURL(src);
  image.onload = free;
  image.onerror = () => {
    free();
    none();
  };
  image.src = src;
}
