// @ts-check
// Saving the list of links as a file, and adding such a file.

import { LARGEST } from "./backup.js";
import * as build from "./build.js";
import { hook } from "./dom.js";
import * as format from "./format.js";
import * as kept from "./kept.js";
import { has, say } from "./messages.js";
import { offer } from "./offer.js";
import { Remote } from "./remote.js";
import { explain } from "./trouble.js";

/** @import { Found } from "./backup.js" */
/** @import { Keepsake, MessageKey } from "./types.d.ts" */

const FILE = "sealpost-links.age";
const SHORTEST = 10; // characters of a passphrase: whoever has the file can try as many as they like

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (hook(name));

/** What is sealed when the passphrase is there. */
let listing = () => /** @type {Keepsake[]} */ ([]);
/** What is told when links were added. */
let added = async () => {};
/** The file to open when the passphrase is there. @type {File | null} */
let chosen = null;

/**
 * Opens the form that saves.
 * @param {() => Keepsake[]} list
 */
export function openExport(list) {
  listing = list;
  open("export-form", "passphrase");
}

/**
 * Opens the form that adds the file that was chosen.
 * @param {() => Promise<void>} done
 */
export function openImport(done) {
  const input = field("import");
  [chosen] = input.files ?? [];
  input.value = ""; // so that the same choice is a change again
  if (!chosen) return;
  added = done;
  if (chosen.size > LARGEST) return tell("", say("later.import.too-large"));
  open("import-form", "import-passphrase");
}

/**
 * @param {string} form
 * @param {string} first
 */
function open(form, first) {
  for (const name of ["export-form", "import-form"]) hook(name).hidden = name !== form;
  tell("");
  field(first).focus();
}

/**
 * Says what has happened, or what went wrong.
 * @param {string} status
 * @param {string} [error]
 */
function tell(status, error = "") {
  hook("backup-status").textContent = status;
  hook("backup-error").textContent = error;
  hook("backup-error").hidden = !error;
}

/**
 * Says what is wrong with a field.
 * @param {string} name
 * @param {string} error
 */
function blame(name, error) {
  tell("", error);
  field(name).setAttribute("aria-invalid", "true");
  field(name).focus();
}

for (const name of ["passphrase", "repeat", "import-passphrase"]) field(name).addEventListener("input", () => field(name).removeAttribute("aria-invalid"));

/**
 * Has a worker do it that lives as long as this takes.
 * @param {string} button
 * @param {(worker: Remote) => Promise<void>} work
 */
async function working(button, work) {
  const press = /** @type {HTMLButtonElement} */ (hook(button));
  const worker = new Remote(new URL("../worker/backup.js", import.meta.url));
  press.disabled = true;
  try {
    await work(worker);
  } catch (e) {
    const error = words(await build.reason(e));
    if (/** @type {any} */ (e).code === "wrong-passphrase") blame("import-passphrase", error);
    else tell("", error);
  } finally {
    worker.terminate();
    press.disabled = false;
  }
}

/**
 * What went wrong, in words of this page if it has some.
 * @param {any} e
 */
function words(e) {
  const own = `later.import.${e.code}`;
  return has(own) ? say(/** @type {MessageKey} */ (own), { site: format.name(String(e.file ?? "")) }) : explain(e).whole;
}

hook("export-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const passphrase = normal("passphrase");
  if ([...passphrase].length < SHORTEST) return blame("passphrase", say("later.export.short", { n: SHORTEST }));
  if (passphrase !== normal("repeat")) return blame("repeat", say("later.export.different"));
  tell(say("later.export.busy"));
  working("export-save", async (worker) => {
    const file = await worker.call("seal", [passphrase, listing()]);
    offer(new Blob([file], { type: "application/octet-stream" }), FILE);
    clear("export-form");
    hook("export").focus();
    tell(say("later.export.done", { file: FILE }));
  });
});

hook("import-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const passphrase = normal("import-passphrase");
  if (!passphrase || !chosen) return field("import-passphrase").focus();
  const file = chosen;
  tell(say("later.import.busy"));
  working("import-add", async (worker) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    /** @type {Found} */
    const found = await worker.call("open", [passphrase, bytes]);
    const told = await take(found);
    clear("import-form");
    field("import").focus();
    await added();
    tell(told);
  });
});

/**
 * Keeps what this browser does not have yet.
 * @param {Found} found
 */
async function take({ keepsakes, expired, refused }) {
  const known = new Set((await kept.list().catch(() => [])).map(({ id }) => id));
  const fresh = keepsakes.filter(({ id }) => !known.has(id));
  if (fresh.length) {
    await kept.put(fresh).catch(() => {
      throw Object.assign(new Error("nothing can be kept"), { code: "nothing-kept" });
    });
  }
  return [
    say("later.import.added", { n: fresh.length }),
    ...(fresh.length < keepsakes.length ? [say("later.import.known", { n: keepsakes.length - fresh.length })] : []),
    ...(expired ? [say("later.import.expired", { n: expired })] : []),
    ...(refused ? [say("later.import.refused", { n: refused })] : []),
  ].join(" ");
}

/**
 * Two keyboards may write the same letter in two ways.
 * @param {string} name
 */
const normal = (name) => field(name).value.normalize("NFC");

/** @param {string} name of a form, which is not left with passphrases in it */
function clear(name) {
  /** @type {HTMLFormElement} */ (hook(name)).reset();
  hook(name).hidden = true;
}
