// @ts-check
// The ways for opened bytes to reach the disk. Whichever is taken, it is a Destination, and what it promises is the same:
// until every byte is there and verified, the person finds nothing that looks whole.
//
//	file    the browser's own dialog: any size, least memory, and the file is swapped in at the end (Chromium)
//	stream  an ordinary download, answered by the service worker: any size
//	stage   the origin's private file system, then a download of the finished file: needs room twice, or three times
//	memory  a Blob: up to a limit
//
// A stream comes before the stage only where the browser marks a download that was cut short as failed. Chromium does.
// Firefox and WebKitGTK may leave it under its final name, so they stage whatever they have room for; for Firefox that is
// the faster way as well. main[data-way] tells which was taken.

import { chromium } from "./chromium.js";
import { pickEntry, pickFolder } from "./pick.js";
import { askForFile, mayWrite, viaFile } from "./save-file.js";
import { MEMORY_LIMIT, viaMemory } from "./save-memory.js";
import { viaStage } from "./save-stage.js";
import { viaStream } from "./save-stream.js";
import { prepare as prepareServiceWorker } from "./service-worker.js";
import { sweep } from "./sweep.js";

/** @import { Some } from "./download-view.js" */
/** @import { Manifest } from "../worker/engine.d.ts" */

/**
 * A place for the bytes of one save.
 * @typedef {object} Destination
 * @property {"file" | "stream" | "stage" | "memory"} way
 * @property {MessagePort} port for the download worker (worker/sink.js). The other end grants credit, tells of each buffer
 *   that is taken, and how it ended: "complete" when the file is what the person asked for, "cancelled", or "failed"
 * @property {() => void} begin to be called when the first bytes are verified
 * @property {() => Promise<void>} close to be called in the end, whatever it was; before "complete" it discards all
 */

const streamsFailVisibly = chromium;

/**
 * What to take out of a share: one entry, or some.
 * @param {Manifest} manifest
 * @param {number | Some} what
 */
export const pick = (manifest, what) => (typeof what === "number" ? pickEntry(manifest, what) : pickFolder(manifest, what.indices, what.name));

/** Gets ready to save, and deletes what earlier saves have left. */
export function prepare() {
  sweep();
  prepareServiceWorker();
}

/**
 * Asks the person where to save, if the browser has a dialog for that and it was not asked before. To be called first in the handler
 * of a click.
 * @param {string} name
 * @param {FileSystemFileHandle | null} before the file that was chosen then
 * @returns {Promise<{cancelled: boolean, file: FileSystemFileHandle | null}>}
 */
export async function askWhere(name, before) {
  if (before && (await mayWrite(before))) return { cancelled: false, file: before };
  const file = await askForFile(name);
  return { cancelled: file === null, file: file ?? null };
}

/**
 * Makes a place for size bytes that the person will find as name, or as the file that they chose. interrupted is called when
 * the browser has stopped what writes there.
 * @param {string} name
 * @param {number} size
 * @param {FileSystemFileHandle | null} file
 * @param {() => void} interrupted
 * @returns {Promise<Destination>}
 */
export async function destination(name, size, file, interrupted) {
  if (file) return viaFile(file);
  const stage = () => viaStage(name, size);
  const stream = () => viaStream(name, size, interrupted);
  for (const way of [...(streamsFailVisibly ? [stream, stage] : [stage, stream]), () => viaMemory(name, size)]) {
    const found = await way();
    if (found) return found;
  }
  throw Object.assign(new Error("no way to save"), { code: "no-stream", limit: MEMORY_LIMIT });
}
