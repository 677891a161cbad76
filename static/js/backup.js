// @ts-check
// The list of this browser's links as a file, to be moved to another one: JSON, which is sealed with a passphrase as an age file
// (wasm/internal/backup). Who opens that with age finds whole links, which work anywhere.
//
// Whoever made a file is not trusted, though they know the passphrase: what is taken is of this site, whole, and of the form that this
// page writes. The rest is counted and left.

/** @import { Keepsake } from "./types.d.ts" */

/**
 * @typedef {object} Found in a file
 * @property {Keepsake[]} keepsakes
 * @property {number} expired
 * @property {number} refused
 */

const FORMAT = "sealpost-links";
const VERSION = 1;
export const LARGEST = 16 << 20; // bytes, of a file (wasm/internal/backup)
const MOST = 50_000; // links
const MOST_NAMES = 3;
const LONGEST_NAME = 4096; // characters
const LATEST = 10 * 366 * 86_400_000; // milliseconds from now

/** @param {string} code */
const failure = (code) => Object.assign(new Error(`the file cannot be taken: ${code}`), { code });

/**
 * What is gone is of no use elsewhere.
 * @param {Keepsake[]} keepsakes
 * @param {string} site
 * @param {number} now milliseconds
 */
export function write(keepsakes, site, now) {
  const links = keepsakes.filter(({ state }) => state !== "gone").map(({ id, fragment, gone: _, ...rest }) => ({ link: `${site}/d/${id}#${fragment}`, ...rest }));
  return JSON.stringify({ format: FORMAT, version: VERSION, origin: site, written: new Date(now).toISOString(), links }, null, 1);
}

/**
 * Throws an error with a code if it is no such list, or none of this site.
 * @param {string} text
 * @param {{site: string, now: number, isFragment: (fragment: string) => boolean | null}} o isFragment tells whether something is the
 *   key of a link: with a password, without one, or not at all
 * @returns {Found}
 */
export function read(text, { site, now, isFragment }) {
  const file = parse(text);
  if (file?.format !== FORMAT || !Array.isArray(file.links)) throw failure("not-a-list");
  if (file.version !== VERSION) throw failure("unsupported");
  if (file.links.length > MOST) throw failure("too-large");
  if (file.origin !== site) throw Object.assign(failure("elsewhere"), { file: String(file.origin) });
  /** @type {Map<string, Keepsake>} */
  const found = new Map();
  let expired = 0, refused = 0;
  for (const link of file.links) {
    const keepsake = keepsakeFrom(link, site, now, isFragment);
    if (!keepsake || found.has(keepsake.id)) refused++;
    else if (keepsake.expires <= now) expired++;
    else found.set(keepsake.id, keepsake);
  }
  return { keepsakes: [...found.values()], expired, refused };
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Takes nothing over as it is that has no form.
 * @param {any} o
 * @param {string} site
 * @param {number} now
 * @param {(fragment: string) => boolean | null} isFragment
 * @returns {Keepsake | null}
 */
function keepsakeFrom(o, site, now, isFragment) {
  const [, id, fragment] = String(o?.link).startsWith(`${site}/d/`) ? (/^\/d\/([\w-]{16})#([\w-]{44})$/.exec(o.link.slice(site.length)) ?? []) : [];
  if (!id) return null;
  const { owner, kind, names, more, files, size, created, expires, lifetime, maxDownloads, taken, state, seen } = o;
  const password = isFragment(fragment);
  const counts = [more, files, size, created, expires, lifetime, maxDownloads, taken, seen];
  const good = password !== null && typeof owner === "string" && /^[\w-]{43}$/.test(owner) &&
    (kind === "file" || kind === "tar" || kind === "note") && (state === "open" || state === "ready") &&
    Array.isArray(names) && names.length <= MOST_NAMES && (names.length > 0 || kind === "note") &&
    names.every((name) => typeof name === "string" && name !== "" && name.length <= LONGEST_NAME) &&
    counts.every((n) => typeof n === "number" && n >= 0 && n <= Number.MAX_SAFE_INTEGER) && expires <= now + LATEST;
  if (!good) return null;
  return { id, fragment, owner, password, kind, names: [...names], more, files, size, created, expires, lifetime, maxDownloads, taken, state, seen, gone: "" };
}
