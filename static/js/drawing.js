// @ts-check
// Whether an SVG may be shown, as a picture, in which browsers run no script and load nothing. What is left to be feared is that it hangs the
// tab: some lines of it can stand for as many shapes as there are stars, by shapes that use others that use others. So that is
// reckoned before, from the text, and a drawing that comes to too much is refused. So are pictures within it that are too large, and
// whatever could hide from the reckoning: declarations, and drawings within the drawing.

import { MOST_PIXELS, dimensions } from "./dimensions.js";
import { imageType } from "./kinds.js";

const MOST_SHAPES = 300_000;
const DEEPEST = 512;
const FILTER = 100; // what a step of a filter weighs, in shapes

/** What must be closed: an expression looks for the end anew from each that is not. */
const CLOSED = [["<!--", "-->"], ["<?", "?>"], ["<![cdata[", "]]>"]];
const MISC = /^(?:[ \t\r\n]|<!--[\s\S]*?-->|<\?[\s\S]*?\?>)*/;
const DOCTYPE = /^<!DOCTYPE(?:[^[<>"']|"[^"]*"|'[^']*')*>/i;
const TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([^ \t\r\n<>"'/!?][^ \t\r\n<>"'/]*)(?![^ \t\r\n<>"'/])((?:[^<>"']|"[^"]*"|'[^']*')*)>/g;
const PICTURE = /^image\/(?:png|jpe?g|gif|webp);base64,([A-Za-z0-9+/= ]*)(?=["')]|$)/i;
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const REFERENCE = /#([^\s"'(),;#\\]*)/g; // a colour looks the same, and names nothing
const ID = /(?:^|[ \t\r\n])id[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')|"[^"]*"|'[^']*'/g; // and what only looks like one, in the value of another

const NAMED = { amp: "&", quot: '"', apos: "'", lt: "<", gt: ">" };

/**
 * @typedef {object} Sum what a shape comes to
 * @property {number} weight in shapes
 * @property {number} shapes that are drawn
 * @property {number} points of their lines, at most, each of which may have a marker
 *
 * @typedef {object} Shape
 * @property {number} weight
 * @property {number} points
 * @property {boolean} marker
 * @property {boolean} pattern
 * @property {Shape[]} below
 * @property {string[]} uses
 * @property {Sum | null} sum
 */

/** @type {Sum} */
const LOOKED_AT = { weight: 0, shapes: 0, points: 0 }; // now, so that it comes to nothing where it uses itself

/**
 * The text that is drawn, as UTF-8, whatever it says of itself.
 * @param {string} text
 */
export const undeclared = (text) => text.replace(/^\ufeff/, "").replace(/^<\?xml[ \t\r\n][\s\S]*?\?>/, "");

/**
 * @param {string} text
 * @returns {"" | "other" | "complex"} what stands in the way of showing it
 */
export function objection(text) {
  const lower = text.toLowerCase();
  if (CLOSED.some(([open, close]) => lower.lastIndexOf(open) > lower.lastIndexOf(close))) return "complex";
  try {
    const drawn = text.replace(/^\ufeff/, "").replace(MISC, "").replace(DOCTYPE, "").replace(MISC, "");
    if (/^<!DOCTYPE/i.test(drawn)) return "complex"; // which declares entities, that grow in the same way
    if (!/^<(?:\w+:)?svg[\s/>]/i.test(drawn)) return "other";
    if (/<!(?!--|\[CDATA\[)/.test(drawn)) return "complex";
    if (lower.includes("<?xml-stylesheet") && pixelsIn(plain(text))) return "complex";
    return weigh(drawn) <= MOST_SHAPES ? "" : "complex";
  } catch {
    return "complex"; // too deep, or with something within it that is not shown
  }
}

/** @param {string} text */
function weigh(text) {
  const { root, named, styles, pixels } = shapesOf(text);
  if (pixels > MOST_PIXELS) return Infinity;
  const { weight, shapes, points } = sumOf(root, named);
  let sum = weight;
  for (const name of new Set(styles)) { // whom a style is for is not looked at
    const used = named.get(name);
    if (used) sum += sumOf(used, named).weight * (used.marker ? points : shapes);
  }
  return sum;
}

/** @param {string} text */
function shapesOf(text) {
  const root = shape("", "");
  /** @type {Map<string, Shape>} */
  const named = new Map();
  const ids = new Set();
  const open = [root];
  const between = [];
  const everywhere = text.includes("<?xml-stylesheet"); // which may be anything within it
  let at = 0, style = 0, pixels = 0; // style: how deep it is
  for (const { 0: all, 1: raw, 2: closing, 3: tag, 4: attributes, index } of text.matchAll(TOKEN)) {
    if (style || everywhere) between.push(text.slice(at, index), raw ?? "");
    at = index + all.length;
    if (!tag) continue;
    if (closing) {
      if (open.length > 1) open.pop();
      if (open.length < style) style = 0;
      continue;
    }
    const said = plain(attributes);
    pixels += pixelsIn(said);
    const one = shape(tag, said);
    const [id] = [...attributes.matchAll(ID)].flatMap(([, quoted]) => (quoted ? decoded(quoted.slice(1, -1)) : []));
    if (id !== undefined && !ids.has(id)) name(named, id, one);
    ids.add(id); // the first that has it counts
    open[open.length - 1].below.push(one);
    if (attributes.endsWith("/")) continue;
    if (open.push(one) > DEEPEST) throw new RangeError("too deep");
    if (/^(?:.*:)?style$/i.test(tag)) style ||= open.length;
  }
  const rules = plain(between.join(""));
  return { root, named, styles: references(rules), pixels: pixels + pixelsIn(rules) };
}

/**
 * @param {string} tag
 * @param {string} said its attributes
 * @returns {Shape}
 */
const shape = (tag, said) => ({
  weight: !tag ? 0 : /^(?:.*:)?fe[A-Z]/.test(tag) ? FILTER : 1,
  points: 1 + said.length / 4, // a point takes some four characters
  marker: /^(?:.*:)?marker$/.test(tag),
  pattern: /^(?:.*:)?pattern$/.test(tag),
  below: [],
  uses: references(said),
  sum: null,
});

/**
 * How many pixels the pictures have that are in a text. Thrown is an error if something else is in it.
 * @param {string} said
 */
function pixelsIn(said) {
  let pixels = 0;
  for (const rest of said.replace(/[\t\r\n]/g, "").split(/data:/i).slice(1)) { // of an address lines make no part
    const [, base64] = PICTURE.exec(rest) ?? [];
    const bytes = Uint8Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0));
    const type = imageType(bytes);
    const size = type && PICTURES.has(type) ? dimensions(type, bytes) : null;
    if (!size) throw new TypeError("no picture");
    pixels += size.width * size.height;
  }
  return pixels;
}

/**
 * An id may have characters that end a reference elsewhere. It goes by what is before them, as the references to it do.
 * @param {Map<string, Shape>} named
 * @param {string} id
 * @param {Shape} one
 */
function name(named, id, one) {
  const all = named.get(start(id)) ?? shape("", "");
  all.below.push(one);
  all.marker ||= one.marker;
  all.pattern ||= one.pattern;
  named.set(start(id), all);
}

/** @param {string} text */
const start = (text) => text.slice(0, text.search(/[\s"'(),;#\\%]|$/));

/** @param {string} text */
function references(text) {
  const names = [];
  for (const [, name] of text.replace(/[\t\r\n]/g, "").matchAll(REFERENCE)) {
    if (names.push(start(name)) > MOST_SHAPES) throw new RangeError("too many");
    if (name.includes("%")) names.push(start(decodeURIComponent(name)));
  }
  return names;
}

/**
 * A text as XML means it, and as CSS then does, if that is another.
 * @param {string} text
 */
function plain(text) {
  const said = decoded(text);
  return said.includes("\\") ? `${said} ${unescaped(said)}` : said;
}

/** @param {string} text */
const decoded = (text) => text
  .replace(/&#(?:x([0-9a-f]+)|(\d+));/gi, (_, hex, decimal) => character(hex ? parseInt(hex, 16) : Number(decimal)))
  .replace(/&(amp|quot|apos|lt|gt);/g, (_, /** @type {keyof typeof NAMED} */ name) => NAMED[name]);

/** @param {string} text */
const unescaped = (text) => text
  .replace(/\\(?:([0-9a-f]{1,6})\s?|([\s\S]))/gi, (_, hex, other) => (hex ? character(parseInt(hex, 16)) : other.replace(/[\n\r\f]/, "")));

/** @param {number} code */
const character = (code) => (code <= 0x10ffff ? String.fromCodePoint(code) : "");

/**
 * What a shape comes to, with all that it uses. What uses itself is not drawn.
 * @param {Shape} shape
 * @param {Map<string, Shape>} named
 * @returns {Sum}
 */
function sumOf(shape, named) {
  if (shape.sum === LOOKED_AT && !shape.weight && shape.below.length > 1) throw new RangeError("it may use itself"); // as several go by its name
  if (shape.sum) return shape.sum;
  shape.sum = LOOKED_AT;
  const sum = { weight: shape.weight, shapes: 1, points: shape.points };
  const used = shape.uses.flatMap((name) => named.get(name) ?? []);
  for (const other of [...shape.below, ...used]) {
    const { weight, shapes, points } = sumOf(other, named);
    sum.weight += weight;
    sum.shapes += shapes;
    sum.points += points;
  }
  for (const other of used) { // which those below inherit
    if (other.marker) sum.weight += sumOf(other, named).weight * sum.points;
    if (other.pattern) sum.weight += sumOf(other, named).weight * sum.shapes;
  }
  return (shape.sum = sum);
}
