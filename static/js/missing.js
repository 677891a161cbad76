// @ts-check
// A link in two pieces: where a share is, and the part after "#", which is its key.

/**
 * @param {string} link
 * @returns {{place: string, key: string}} key with its "#"
 */
export function split(link) {
  const at = link.indexOf("#");
  return at < 0 ? { place: link, key: "" } : { place: link.slice(0, at), key: link.slice(at) };
}

// Mail programs break long lines, and put things into brackets or quotes or a full stop behind them.
const KEY = /^#?([\w-]{44})$/;
// A site may be below a path of its host.
const LINK = /(https?:\/\/[^\s/]+)((?:\/[\w~-][\w.~-]*)*)\/d\/([\w-]+)#([\w-]{44})(?![\w-])/;

/**
 * Reads what somebody pastes: the missing part, with or without its "#", or a whole link. Null if it is neither.
 * @param {string} text
 * @returns {{fragment: string, place: string, id: string} | null} place, where the site is (base.js), and id are empty if only the part was given
 */
export function readPasted(text) {
  const dense = text.replace(/\s/g, "");
  const link = LINK.exec(text) ?? LINK.exec(dense);
  if (link && URL.canParse(link[1])) return { place: link[1].toLowerCase() + link[2], id: link[3], fragment: link[4] };
  const key = KEY.exec(dense.replace(/^[<("'“„«‘]+|[>)"'”“»’.,;]+$/gu, ""));
  return key && { place: "", id: "", fragment: key[1] };
}

/**
 * The address that opens a mail program with a letter to nobody yet. Lines end as RFC 6068 wants it.
 * @param {string} subject
 * @param {string} body
 */
export const mailto = (subject, body) =>
  `mailto:?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body.replace(/\n/g, "\r\n"))}`;
