// @ts-check
// Everything that scripts say, in English. What never changes stands in the HTML.

import * as format from "./format.js";

/** @param {number} n */
const files = (n) => (n === 1 ? "1 file" : `${format.count(n)} files`);

/** @type {Record<string, string>} By the code of a problem (server/api, worker/engine.d.ts) or of our own. */
const errors = {
  "offline": "The server cannot be reached. Check the connection and try again.",
  "bad-link": "This link is not complete. Ask for it again, and copy all of it.",
  "wrong-key": "The link does not open this. It may have been changed on the way.",
  "damaged": "What arrived is damaged or not whole. Ask the sender to post it again.",
  "hostile": "This share breaks the rules of the format, so it was not opened. Be careful with its sender.",
  "unsupported": "This was sealed by a newer version. Reload the page and try again.",
  "interrupted": "The browser stopped the download. Save it again.",
  "no-stream": `This browser window cannot stream to disk, and the file is larger than ${format.size(256 << 20)}. Open the link in an ordinary window (not a private one) or in another browser.`,
  "too-large": "That is more than this server takes.",
  "storage-full": "The server has no room for this now. Try again later.",
  "no-downloads-left": "This has been downloaded as often as it may be.",
  "too-many-requests": "Too many requests. Wait a little and try again.",
  "part-conflict": "The upload got mixed up and was stopped. Try again.",
  "insecure": "This page needs a secure connection (https) to seal and open anything.",
};

export const messages = {
  files,

  /** @param {any} e anything that was thrown */
  error(e) {
    if (e?.file !== undefined) {
      const name = format.name(String(e.file));
      if (e.code === "changed") return `“${name}” could not be read. It was changed or moved, or it is a folder. Add it again.`;
    }
    return errors[e?.code] ?? (e?.code ? e.message : `Something went wrong: ${e?.message ?? e}`);
  },

  upload: {
    /** @type {Record<string, [string, string]>} */
    titles: {
      idle: ["Send files that only the recipient can open", "Drop them here. They are compressed and sealed before they leave this device."],
      ready: ["Send files that only the recipient can open", "They are compressed and sealed before they leave this device."],
      sending: ["Sealing your files", "Keep this page open. You can pass the link on now; it opens once everything has arrived."],
      done: ["Sealed and posted", ""],
      error: ["That did not work", "Nothing was left on the server. What you chose is still here."],
    },
    /** @param {number} expires */
    doneUntil: (expires) => `Anyone with this link can open it until ${format.moment(expires)}.`,
    doneWithPassword: "They need the password too. Send it another way.",
    noteTitle: "Sealing your note",
    anyDownloads: "any number of downloads",
    /** @param {number} n */
    downloads: (n) => (n === 1 ? "1 download" : `${n} downloads`),
    /** @param {number} n */
    folder: (n) => (n === 0 ? "empty folder" : files(n)),
    /** @param {string} name */
    remove: (name) => `Remove ${name}`,
    /** @param {number} n @param {number} bytes */
    total: (n, bytes) => `${files(n)}, ${format.size(bytes)}`,
    /** @param {number} n */
    more: (n) => `and ${format.count(n)} more`,
    /** @param {string} name */
    isFolder: (name) => `“${format.name(name)}” is a folder, or cannot be read. To send a folder, drop it here or choose “a folder”.`,
    /** @param {string} name */
    badName: (name) => `“${format.name(name)}” cannot be sent under this name. Rename it and add it again.`,
    emptyFolder: "That folder has no files, so the browser told nothing about it. Drop it here instead.",
    /** @param {number} done @param {number} total */
    amount: (done, total) => `${format.size(done)} of ${format.size(total)}`,
    /** @param {number} perSecond */
    rate: (perSecond) => `${format.size(perSecond)}/s`,
    /** @param {number} seconds */
    left: (seconds) => `about ${format.span(Math.max(1, seconds))} left`,
    preparing: "Getting ready…",
    cancelling: "Taking it back…",
    cancelled: "Taken back. Nothing was left on the server.",
    copied: "Copied",
    copyByHand: "Press Ctrl+C or ⌘C to copy",
    copy: "Copy link",
    show: "Show",
    hide: "Hide",
    /** @param {number} plain @param {number} sealed */
    sealedTo: (plain, sealed) => `${format.size(plain)}, sealed to ${format.size(sealed)}`,
    /** @param {number} seconds */
    expiresIn: (seconds) => `expires in ${format.span(seconds)}`,
    withPassword: "with a password",
    noteOnly: "a note",
  },

  download: {
    /** @type {Record<string, [string, string]>} */
    titles: {
      loading: ["Opening", "Reading what is in the envelope."],
      waiting: ["Still being sent", "The sender’s upload has not finished. This page opens it by itself when it has."],
      locked: ["This share has a password", "Whoever sent it to you has it."],
      note: ["You have been sent a note", ""],
      receiving: ["Opening the seal", "The file goes to your downloads while it is opened. Keep this page open."],
      done: ["Saved", "It is whole: every byte was checked. You will find it in your downloads."],
      gone: ["Nothing here any more", ""],
      error: ["That did not work", ""],
    },
    /** @param {number} n */
    sent: (n) => `You have been sent ${n === 1 ? "1 item" : `${format.count(n)} items`}`,
    /** @param {number} created @param {number} seconds */
    since: (created, seconds) => `Sealed ${format.moment(created)}. Open for ${format.span(Math.max(1, seconds))} more.`,
    unlocking: "Opening…",
    /** @param {number | undefined} tries */
    wrongPassword: (tries) =>
      "That is not the password." +
      (tries === undefined ? "" : tries === 0 ? " This share rests for a while before the next try." : ` ${tries === 1 ? "One more try" : `${tries} more tries`} before this share rests for a while.`),
    /** @param {number | undefined} seconds */
    tooManyTries: (seconds) => `Too many wrong passwords. Try again in ${format.span(Math.max(1, seconds ?? 60))}.`,
    /** @param {number} bytes @param {number} n of entries */
    save: (bytes, n) => `${n === 1 ? "Save" : "Save all"}, ${format.size(bytes)}`,
    saveAgain: "Save again",
    tryAgain: "Try again",
    saveEntry: "Save",
    /** @param {string} name */
    saveEntryLabel: (name) => `Save ${name}`,
    folder: "folder",
    /** @param {number} left @param {number} max */
    left: (left, max) => `${left} of ${max} downloads left`,
    anyLeft: "any number of downloads",
    asTar: "several files are saved as one .tar archive",
    cancelled: "The download was cancelled.",
    partial: "A piece of it may be among your downloads: delete it.",
    noFragment: "The link is not complete: the part after # is missing. Ask for it again, and copy all of it.",
  },
};
