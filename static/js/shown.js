// @ts-check
// Makes what is shown of an entry. Its bytes come from whoever sealed it, and nothing of them is trusted: each kind is shown in a way in
// which it can run nothing and ask nobody for anything.
//
//	image    <img> of a blob whose type is what its bytes are (kinds.js), if it does not claim too many pixels (dimensions.js)
//	drawing  SVG in <img>, where browsers run no script and load nothing, from a data: address, whose origin is nobody's
//	video    from the service worker, which sends nothing but audio and video, or a blob of such a type
//	pdf      a blob of type application/pdf in a frame, for the browser's own reader
//	text     text; HTML, too
//
// Thrown is a Refusal, which says why it is not shown.

import { copies } from "./copy.js";
import { MOST_PIXELS, dimensions } from "./dimensions.js";
import { make } from "./dom.js";
import { objection, undeclared } from "./drawing.js";
import * as format from "./format.js";
import { goesOn } from "./goes-on.js";
import { extensionOf, kindOf, typeOf } from "./kinds.js";
import { played } from "./media.js";
import { say } from "./messages.js";
import { decode, page } from "./plain.js";

/** @import { OpenedEntry } from "../worker/engine.d.ts" */
/** @import { Kind } from "./kinds.js" */
/** @import { Remote } from "./remote.js" */

const HEAD = 64 << 10; // bytes that tell what it is
const MOST = { image: 64 << 20, drawing: 4 << 20, pdf: 64 << 20, text: 1 << 20, media: 64 << 20 };

/** Says to a person why something is not shown. */
export class Refusal extends Error {}

/**
 * @param {number} size
 * @param {number} limit
 */
const tooLarge = (size, limit) => new Refusal(say("preview.refused.size", { size: format.size(size), limit: format.size(limit) }));
const other = () => new Refusal(say("preview.refused.unlike"));
const broken = () => new Refusal(say("preview.refused.broken"));

/**
 * @typedef {object} Shown
 * @property {HTMLElement} element
 * @property {HTMLElement[]} beside controls
 * @property {string} remark
 * @property {() => void} close frees what it takes
 *
 * @typedef {object} Source
 * @property {Remote} worker that opens
 * @property {number} index
 * @property {OpenedEntry} entry
 * @property {(done: number, total: number) => void} progress
 * @property {(e: any) => void} failed is told what goes wrong when it is shown already
 */

/**
 * @param {Source} source
 * @returns {Promise<Shown>}
 */
export async function show(source) {
  const kind = /** @type {Kind} */ (kindOf(source.entry));
  const { size } = source.entry;
  if (kind === "text") return text(source);
  if (kind === "audio" || kind === "video") return media(source, kind);
  if (kind === "pdf" && navigator.pdfViewerEnabled === false) throw new Refusal(say("preview.refused.pdf"));
  if (size > MOST[kind]) throw tooLarge(size, MOST[kind]);
  const type = typeOf(kind, await view(source, HEAD));
  if (!type) throw other();
  const bytes = await view(source, size);
  return kind === "drawing" ? drawing(source, bytes) : kind === "pdf" ? paper(source, bytes) : picture(source, bytes, type);
}

/**
 * The first bytes of it.
 * @param {Source} source
 * @param {number} most
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function view({ worker, index, entry, progress }, most) {
  const total = Math.min(most, entry.size);
  const pieces = /** @type {Uint8Array<ArrayBuffer>[]} */ (await worker.call("view", [index, most], { news: ({ done }) => progress(done, total) }));
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * @param {Source} source
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} type
 */
async function picture({ entry }, bytes, type) {
  const size = dimensions(type, bytes);
  if (!size) throw broken();
  if (size.width * size.height > MOST_PIXELS) throw new Refusal(say("preview.refused.pixels", { width: size.width, height: size.height }));
  const src = URL.createObjectURL(new Blob([bytes], { type }));
  return image(entry, src, () => URL.revokeObjectURL(src));
}

/**
 * @param {Source} source
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function drawing({ entry }, bytes) {
  const words = decode(bytes, true);
  const against = words === null ? "other" : objection(words);
  if (words === null || against === "other") throw other();
  if (against === "complex") throw new Refusal(say("preview.refused.complex"));
  return image(entry, await dataURL(new Blob([undeclared(words)], { type: "image/svg+xml" })), () => {});
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
const dataURL = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

/**
 * @param {OpenedEntry} entry
 * @param {string} src
 * @param {() => void} close
 * @returns {Promise<Shown>}
 */
async function image({ name }, src, close) {
  const element = make("img", { alt: format.name(name), src });
  const there = await new Promise((resolve) => {
    element.onload = () => resolve(true);
    element.onerror = () => resolve(false);
  });
  if (!there) {
    close();
    throw broken();
  }
  return { element, beside: [], remark: "", close };
}

/**
 * @param {Source} source
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Shown>}
 */
async function paper({ entry }, bytes) {
  const src = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  const element = make("iframe", { src, title: format.name(entry.name) });
  return { element, beside: [], remark: "", close: () => URL.revokeObjectURL(src) };
}

/**
 * @param {Source} source
 * @returns {Promise<Shown>}
 */
async function text(source) {
  const { name, size } = source.entry;
  const whole = size <= MOST.text;
  const words = decode(await view(source, MOST.text), whole);
  if (words === null) throw new Refusal(say("preview.refused.binary"));
  const element = page(words, extensionOf(name));
  element.tabIndex = 0; // so that keys scroll it
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", format.name(name));
  const copy = make("button", { type: "button", class: "quiet", "data-hook": "viewer-copy" }, say(whole ? "preview.copy" : "preview.copyShown"));
  const status = make("span", { class: "unseen", role: "status" }); // the page's is outside of the dialog, and not read out
  copies(copy, element, () => words, status);
  const remark = whole ? "" : say("preview.cut", { limit: format.size(MOST.text), size: format.size(size) });
  return { element, beside: [copy, status], remark, close() {} };
}

/**
 * @param {Source} source
 * @param {"audio" | "video"} kind
 * @returns {Promise<Shown>}
 */
async function media(source, kind) {
  const { worker, index, entry, failed } = source;
  const type = typeOf(kind, await view(source, HEAD));
  if (!type) throw other();
  const element = make(kind, { controls: "", preload: "metadata", "aria-label": format.name(entry.name) }); // each has an element of its own
  if (!element.canPlayType(type)) throw broken();
  const { src, close } = (await played(worker, index, entry.size, type, failed)) ?? (await inMemory(source, type));
  element.addEventListener("error", () => failed(broken()));
  element.src = src;
  const rest = goesOn(element);
  return {
    element,
    beside: [],
    remark: "",
    close() {
      rest();
      element.removeAttribute("src");
      element.load(); // which ends its requests
      close();
    },
  };
}

/**
 * Where no service worker answers, as in private windows of some browsers.
 * @param {Source} source
 * @param {string} type
 */
async function inMemory(source, type) {
  const { size } = source.entry;
  if (size > MOST.media) throw new Refusal(say("preview.refused.player", { limit: format.size(MOST.media) }));
  const src = URL.createObjectURL(new Blob([await view(source, size)], { type }));
  return { src, close: () => URL.revokeObjectURL(src) };
}
