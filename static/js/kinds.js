// @ts-check
// What can be looked at, and as what. By its name a thing is offered to be looked at; what it is shown as its first bytes decide. What
// its sender calls it decides nothing: types are taken from a list of ours, and what fits none is not shown.

/** @import { OpenedEntry } from "../worker/engine.d.ts" */
/** @typedef {"image" | "drawing" | "audio" | "video" | "pdf" | "text"} Kind */

/** @type {Record<Exclude<Kind, "text">, string>} */
const EXTENSIONS = {
  image: "png apng jpg jpeg jpe jfif gif webp avif bmp",
  drawing: "svg",
  audio: "mp3 m4a m4b aac ogg oga opus wav flac weba",
  video: "mp4 m4v mov webm mkv ogv",
  pdf: "pdf",
};

/** What people write, and what programs read: all of it is shown as text, HTML too. */
const TEXT = `txt text md markdown rst adoc org tex bib log csv tsv srt vtt ics vcf eml diff patch json jsonl json5 geojson yaml yml toml ini
  cfg conf env properties xml xsl xsd html htm xhtml shtml css scss sass less js mjs cjs jsx ts mts cts tsx vue svelte go mod sum rs py pyi
  rb php pl pm lua r jl java kt kts scala groovy gradle swift m mm c h cc cpp cxx hh hpp hxx cs fs vb pas d zig nim dart ex exs erl hrl
  clj cljs lisp el scm hs ml mli elm sh bash zsh fish ps1 bat cmd awk sed sql graphql proto asm s v sv vhd cmake mk ninja dockerfile tf
  nix asc pem crt csr pub sig sha256 sha512 md5 lock gitignore gitattributes editorconfig webmanifest map po pot reg desktop service url`;

/** Files that have no suffix. */
const NAMES = /^(readme|license|licence|copying|notice|authors|changelog|changes|contributing|install|makefile|dockerfile|gemfile|rakefile|procfile|todo|news)$/;

/** @type {Map<string, Kind>} */
const byExtension = new Map();
for (const [kind, list] of Object.entries({ ...EXTENSIONS, text: TEXT })) {
  for (const extension of list.split(/\s+/)) byExtension.set(extension, /** @type {Kind} */ (kind));
}

/**
 * What an entry is offered to be looked at as, or null.
 * @param {Pick<OpenedEntry, "name" | "type" | "directory">} entry
 * @returns {Kind | null}
 */
export function kindOf({ name, type, directory }) {
  if (directory) return null;
  const last = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const found = byExtension.get(extensionOf(last));
  if (found) return found;
  return NAMES.test(last) || type.startsWith("text/") ? "text" : null; // as text anything is harmless
}

/** @param {string} name */
export const extensionOf = (name) => (name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "");

/** @typedef {Uint8Array} Bytes */

/**
 * @param {Bytes} bytes
 * @param {number} at
 * @param {string} text in ASCII
 */
const has = (bytes, at, text) => text.length <= bytes.length - at && [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));

/**
 * The media type that the first bytes of a thing show it to have, of those that are shown as this kind; null if it has none of them.
 * @param {Kind} kind
 * @param {Bytes} head
 * @returns {string | null}
 */
export function typeOf(kind, head) {
  if (kind === "image") return imageType(head);
  if (kind === "pdf") return has(head, 0, "%PDF-") ? "application/pdf" : null;
  if (kind === "audio" || kind === "video") return mediaType(kind, head);
  return "text/plain";
}

/** @param {Bytes} b */
export function imageType(b) {
  if (has(b, 0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (has(b, 0, "\xff\xd8\xff")) return "image/jpeg";
  if (has(b, 0, "GIF87a") || has(b, 0, "GIF89a")) return "image/gif";
  if (has(b, 0, "RIFF") && has(b, 8, "WEBP")) return "image/webp";
  if (has(b, 4, "ftypavif") || has(b, 4, "ftypavis")) return "image/avif";
  if (has(b, 0, "BM") && [12, 40, 52, 56, 64, 108, 124].includes(b[14]) && !b[15] && !b[16] && !b[17]) return "image/bmp";
  return null;
}

/**
 * @param {"audio" | "video"} kind
 * @param {Bytes} b
 */
function mediaType(kind, b) {
  if (has(b, 4, "ftyp")) return has(b, 8, "avi") || has(b, 8, "hei") || has(b, 8, "mif") ? null : `${kind}/mp4`;
  if (has(b, 0, "\x1a\x45\xdf\xa3")) return `${kind}/webm`;
  if (has(b, 0, "OggS")) return `${kind}/ogg`;
  if (kind === "video") return null;
  if (has(b, 0, "RIFF") && has(b, 8, "WAVE")) return "audio/wav";
  if (has(b, 0, "fLaC")) return "audio/flac";
  if (has(b, 0, "ID3")) return "audio/mpeg";
  if (b[0] !== 0xff || b[1] < 0xe0) return null;
  if ((b[1] & 0xf6) === 0xf0) return "audio/aac";
  return (b[1] & 0x06) !== 0 && b[2] >> 4 !== 15 ? "audio/mpeg" : null;
}
