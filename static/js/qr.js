// @ts-check
// A link as a QR code, for the camera of another device. Whoever photographs it has the link, with its key: that is said beside it.
//
// It is made by the engine, in a worker of its own that ends with it: nothing is asked of a server. It is dark on light in dark mode, too,
// since not all cameras read the opposite.

import { make } from "./dom.js";
import * as format from "./format.js";
import { style } from "./late.js";
import { load, say } from "./messages.js";
import { Remote } from "./remote.js";
import { show } from "./window.js";

/** @typedef {{size: number, modules: Uint8Array}} Code */

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // modules of light around it, as the standard wants them
const DOT = 12; // pixels of a module in the picture that is saved
const LATER = 60_000; // milliseconds after which nobody takes the saved picture from the page any more

/**
 * Opens a dialog with the code. When it is closed the focus is back on opener.
 * @param {string} link
 * @param {HTMLElement} opener
 * @param {string} [name] of what the link opens
 */
export async function showQR(link, opener, name = "") {
  const [code] = await Promise.all([encode(link), load("passing"), style("passing")]);
  const save = make("button", { type: "button", class: "quiet", "data-hook": "qr-save" }, say("passing.qr.save"));
  const close = make("button", { type: "button", class: "quiet", "data-hook": "qr-close" }, say("passing.qr.close"));
  const text = make("p", { class: "muted small", id: "qr-text" }, say("passing.qr.text"));
  const names = name ? [make("p", { class: "name" }, make("bdi", { dir: "ltr" }, format.name(name)))] : [];
  const dialog = await show("qr", say("passing.qr.title"), ...names, picture(code), text, make("div", { class: "row" }, close, save));
  dialog.setAttribute("aria-describedby", text.id);
  save.addEventListener("click", () => savePicture(code));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => opener.focus());
}

/**
 * @param {string} link
 * @returns {Promise<Code>}
 */
async function encode(link) {
  const worker = new Remote(new URL("../worker/qr.js", import.meta.url));
  return worker.call("encode", [link]).finally(() => worker.terminate());
}

/**
 * The dark modules of each row that lie side by side, from 0.
 * @param {Code} code
 * @param {(x: number, y: number, length: number) => void} draw
 */
function eachRun({ size, modules }, draw) {
  for (let y = 0; y < size; y++) {
    for (let x = 0, from = 0; x <= size; x++) {
      const dark = x < size && modules[y * size + x];
      if (dark) continue;
      if (x > from) draw(from, y, x - from);
      from = x + 1;
    }
  }
}

/** @param {Code} code */
function picture(code) {
  const side = code.size + 2 * QUIET;
  let d = "";
  eachRun(code, (x, y, length) => (d += `M${x + QUIET} ${y + QUIET}h${length}v1h${-length}z`));
  const svg = draw("svg", { class: "code", viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": say("passing.qr.label"), "shape-rendering": "crispEdges" });
  svg.append(draw("path", { fill: "#fff", d: `M0 0h${side}v${side}H0z` }), draw("path", { fill: "#000", d }));
  return svg;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** @param {Code} code */
function savePicture(code) {
  const canvas = make("canvas");
  canvas.width = canvas.height = (code.size + 2 * QUIET) * DOT;
  const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.fillStyle = "#000";
  eachRun(code, (x, y, length) => paper.fillRect((x + QUIET) * DOT, (y + QUIET) * DOT, length * DOT, DOT));
  canvas.toBlob((blob) => {
    if (!blob) return;
    const href = URL.createObjectURL(blob);
    make("a", { href, download: say("passing.qr.file") }).click();
    setTimeout(() => URL.revokeObjectURL(href), LATER);
  });
}
