// @ts-check
// Text from outside as it is read: what it says, with whatever would deceive made visible in its place, and in pieces that a browser lays out
// only when they come into sight.

import { make } from "./dom.js";
import { MISLEADING } from "./format.js";

const BLOCK = 8 << 10; // characters. A line that is longer is broken after so many
/** What people wrote may run from right to left; what programs read runs from left to right. */
const PROSE = /^(txt|text|md|markdown|rst|adoc|org|srt|vtt|log|csv|tsv|)$/;

/**
 * The text that bytes are, or null if they are none.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {boolean} whole whether that is all of it: a character at the end may be cut
 */
export function decode(bytes, whole) {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "";
  if (wide) return new TextDecoder(wide).decode(bytes, { stream: !whole });
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !whole });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes); // which takes all, and is what most of the rest is
  }
}

/**
 * Makes visible what is not, but for what lines are made of.
 * @param {string} text
 */
export const visible = (text) => text.replace(MISLEADING, (c) => (/[\t\n\r]/.test(c) ? c : `⟨U+${codeOf(c)}⟩`));

/** @param {string} c */
const codeOf = (c) => (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");

/**
 * @param {string} text
 * @param {string} extension
 */
export function page(text, extension) {
  const direction = PROSE.test(extension) ? "auto" : "ltr";
  const blocks = cut(visible(text)).map((block) => make("div", { dir: direction }, block));
  return make("pre", { class: "reading" }, ...blocks);
}

/**
 * Cuts text where lines end.
 * @param {string} text
 */
export function cut(text) {
  const blocks = [];
  for (let at = 0; at < text.length;) {
    const line = text.slice(at, at + BLOCK + 1).lastIndexOf("\n") + 1; // what is before is not searched again
    let end = at + BLOCK >= text.length ? text.length : at + (line || BLOCK);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1])) end++; // two halves of a character stay together
    blocks.push(text.slice(at, end));
    at = end;
  }
  return blocks;
}
