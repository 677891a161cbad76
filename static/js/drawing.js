// @ts-check
// Whether an SVG may be shown, as a picture, in which browsers run no script and load nothing. What is left to be feared is that it hangs the
// tab: some lines of it can stand for as many shapes as there are stars, by shapes that use others that use others. So that is
// reckoned before, from the text, and a drawing that comes to too much is refused.

const MOST_SHAPES = 300_000;
const DEEPEST = 512;
const FILTER = 100; // what a step of a filter weighs, in shapes

const TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([\w:.-]+)((?:[^<>"']|"[^"]*"|'[^']*')*)>/g;
const REFERENCE = /#([^\s"'(),;#]+)/g; // a colour looks the same, and names nothing

const NAMED = { amp: "&", quot: '"', apos: "'", lt: "<", gt: ">" };

/** @typedef {{weight: number, below: Shape[], uses: string[], sum: number | null}} Shape */

/**
 * @param {string} text
 * @returns {"" | "other" | "complex"} what stands in the way of showing it
 */
export function objection(text) {
  const [root] = text.replace(/^\ufeff/, "").replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^[>]*(?:\[[^\]]*\])?\s*>/gi, "").trimStart().match(/^<(?:\w+:)?svg[\s>]/i) ?? [];
  if (!root) return "other";
  if (/<!ENTITY/i.test(text)) return "complex"; // which grow in the same way
  try {
    return weigh(text) > MOST_SHAPES ? "complex" : "";
  } catch {
    return "complex"; // too deep
  }
}

/** @param {string} text */
function weigh(text) {
  const { root, named, count } = shapesOf(text);
  const styles = [...text.matchAll(/<(?:\w+:)?style\b[\s\S]*?<\//gi)].flatMap(([style]) => references(style));
  const styled = [...new Set(styles)].reduce((sum, name) => sum + sumOf(named.get(name), named), 0);
  return sumOf(root, named) + count * styled; // whom a style is for is not looked at
}

/** @param {string} text */
function shapesOf(text) {
  /** @type {Shape} */
  const root = { weight: 0, below: [], uses: [], sum: null };
  /** @type {Map<string, Shape>} */
  const named = new Map();
  const open = [root];
  let count = 0;
  for (const [, , closing, tag, attributes] of text.matchAll(TOKEN)) {
    if (!tag) continue;
    if (closing) {
      if (open.length > 1) open.pop();
      continue;
    }
    count++;
    const shape = { weight: /^(\w+:)?fe[A-Z]/.test(tag) ? FILTER : 1, below: [], uses: references(attributes), sum: null };
    const [, , id] = /(?:^|\s)id\s*=\s*(["'])([\s\S]*?)\1/.exec(attributes) ?? [];
    if (id && !named.has(plain(id))) named.set(plain(id), shape);
    open[open.length - 1].below.push(shape);
    if (attributes.endsWith("/")) continue;
    if (open.push(shape) > DEEPEST) throw new RangeError("too deep");
  }
  return { root, named, count };
}

/** @param {string} text */
const references = (text) => [...plain(text).matchAll(REFERENCE)].map(([, name]) => name);

/**
 * Undoes what XML and CSS have for writing a character in another way.
 * @param {string} text
 */
const plain = (text) => text
  .replace(/&#(?:x([0-9a-f]+)|(\d+));/gi, (_, hex, decimal) => character(hex ? parseInt(hex, 16) : Number(decimal)))
  .replace(/&(amp|quot|apos|lt|gt);/g, (_, /** @type {keyof typeof NAMED} */ name) => NAMED[name])
  .replace(/\\([0-9a-f]{1,6})\s?/gi, (_, hex) => character(parseInt(hex, 16)));

/** @param {number} code */
const character = (code) => (code <= 0x10ffff ? String.fromCodePoint(code) : "");

/**
 * What a shape comes to, with all that it uses. What uses itself is not drawn.
 * @param {Shape | undefined} shape
 * @param {Map<string, Shape>} named
 * @returns {number}
 */
function sumOf(shape, named) {
  if (!shape) return 0;
  if (shape.sum !== null) return shape.sum;
  shape.sum = 0; // for as long as it is looked at
  let sum = shape.weight;
  for (const below of shape.below) sum += sumOf(below, named);
  for (const name of shape.uses) sum += sumOf(named.get(name), named);
  return (shape.sum = sum);
}
