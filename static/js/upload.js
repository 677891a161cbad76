// @ts-check
// The upload page: choose, set the terms, send, pass the link on.

import "./ground.js";
import * as api from "./api.js";
import { base, site } from "./base.js";
import * as build from "./build.js";
import { fromFiles, fromTransfer, givesHandles, unreadable } from "./collect.js";
import { copies } from "./copy.js";
import { eachMinute } from "./countdown.js";
import { hook, make, showAlert } from "./dom.js";
import * as format from "./format.js";
import { excess } from "./limits.js";
import { say } from "./messages.js";
import { Parcel, nameAllowed, noteItem } from "./parcel.js";
import { Progress } from "./progress.js";
import { Remote } from "./remote.js";
import { reveal } from "./reveal.js";
import { Store } from "./store.js";
import { clearTab } from "./tab.js";
import { explain } from "./trouble.js";
import { choose, showParcel, showTerms } from "./upload-view.js";

/** @import { Config, Item, Posted, Resumption, Shipment, UploadNews } from "./types.d.ts" */
/** @import { Offer } from "./unfinished.js" */

const SLICE = 40; // milliseconds of work after which the page gets its turn: a browser may take longer to tell a file's size
const SMALLER = 0.97; // sealed to this share of its size, or less, is worth telling

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const parcel = new Parcel();
const progress = new Progress();
const store = new Store({
  state: /** @type {"idle" | "ready" | "sending" | "done" | "error"} */ ("idle"),
  error: "",
  trouble: "", // its title
  outdated: false, // so that only a reload helps
  config: /** @type {Config | null} */ (null),
  adding: false,
  link: "",
  kept: false, // another page could go on with what is being sent
  guarded: false, // it has a password
  paused: false,
  posted: /** @type {Posted | null} */ (null),
});

const note = /** @type {HTMLTextAreaElement} */ (hook("note"));
const password = /** @type {HTMLInputElement} */ (hook("password"));
const expiry = /** @type {HTMLSelectElement} */ (hook("expiry"));
const downloads = /** @type {HTMLSelectElement} */ (hook("downloads"));
const keep = /** @type {HTMLSelectElement} */ (hook("keep"));
const link = /** @type {HTMLInputElement} */ (hook("link"));

const worker = new Remote(new URL("../worker/upload.js", import.meta.url));
let preparing = prepare();
/** Which sets what was chosen before. */
const keeping = import("./keeping.js").then((it) => (it.remember(), it), () => null);
const handles = () => import("./handles.js");
if (givesHandles) preparing.then(handles, () => {}); // so that a click need not wait for it
// What earlier saves of this browser have left behind goes at the next visit, to whichever page, but after the first paint.
preparing.then(() => import("./sweep.js")).then(({ sweep }) => sweep(), () => {});

/** Resolves to the engine's build when the engine and the server's terms are there. */
async function prepare() {
  const [engine] = await Promise.all([worker.call("warm", []), configure()]);
  return /** @type {string} */ (engine);
}

/** As prepare, which is tried again if it had failed. */
const prepared = () => (preparing = preparing.catch(prepare));

async function configure() {
  if (store.value.config) return;
  const config = await api.config();
  build.compare(config);
  showTerms(config);
  store.set({ config });
}

store.onchange((now, old) => {
  const { state } = now;
  main.dataset.state = state;
  main.toggleAttribute("data-filled", !parcel.empty);
  const start = /** @type {HTMLButtonElement} */ (hook("start"));
  const composing = state !== "sending" && state !== "done";
  const over = composing ? excess(parcel, note.value, now.config) : "";
  start.disabled = now.adding || over !== "" || (parcel.empty && !note.value.trim());
  start.textContent = state === "error" ? say("upload.error.again") : say("upload.start");
  showAlert(over || now.error);
  if (link.value !== now.link) link.value = now.link;
  /** @type {HTMLButtonElement} */ (hook("copy")).disabled = !now.link;
  hook("pause").hidden = now.paused;
  hook("resume").hidden = !now.paused;
  if (now.kept !== old.kept) showLead(now);
  if (now.link !== old.link || now.posted !== old.posted) import("./pass-on.js").then(({ passOn }) => passOn(now)).catch(() => {});
  if (state === old.state && state !== "idle") return;
  hook("title").textContent = title(now);
  showLead(now);
  if (state === "done" && now.posted) {
    showFacts(now.posted);
    const { id } = now.posted.share;
    keeping.then((it) => it?.showKeeping(id)).catch(() => {});
  }
  const left = old.state === "sending" || old.state === "done";
  if (state !== old.state && (left || !composing || state === "error")) hook("title").focus();
});

/** @param {typeof store.value} now */
function title({ state, trouble }) {
  if (state === "error") return trouble;
  return state === "sending" && parcel.empty ? say("upload.sending.noteTitle") : say(`upload.${state}.title`);
}

/** @param {typeof store.value} now */
function showLead({ state, posted, outdated, kept }) {
  if (state === "error" && outdated) hook("lead").textContent = say("upload.error.reload");
  else if (state === "sending" && kept) hook("lead").textContent = say("upload.sending.leadKept");
  else hook("lead").textContent = state === "done" ? doneLead(posted) : say(`upload.${state}.lead`);
}

/** @param {Posted | null} posted */
function doneLead(posted) {
  if (!posted) return "";
  const { password, expires } = posted.share;
  return say(password ? "upload.done.leadPassword" : "upload.done.lead", { moment: format.moment(expires) });
}

/** @param {Posted} posted */
function showFacts({ share, sealed, files = parcel.files, size = parcel.size }) {
  const facts = [
    files || !parcel.empty ? say("count.files", { n: files }) : say("upload.done.note"),
    ...(size ? [showSize(size, sealed)] : []),
    say("upload.done.expires", { time: format.span(share.lifetime) }),
    share.maxDownloads ? say("count.downloads", { n: share.maxDownloads }) : say("count.anyDownloads"),
  ];
  if (share.password) facts.push(say("upload.done.password"));
  hook("facts").replaceChildren(...facts.map((fact) => make("span", {}, fact)));
}

/**
 * @param {number} size
 * @param {number} sealed
 */
function showSize(size, sealed) {
  const text = format.size(size);
  return sealed < SMALLER * size ? say("upload.done.sealed", { size: text, sealed: format.size(sealed) }) : text;
}

/** What can be gone on with once more: it has ended, but the journal is there. @type {{what: Resumption, link: string} | null} */
let pending = null;

/** Whether what is gone on with has a password, which no page keeps. */
let unsaid = false;

/** Shows the parcel as it is now, and whether it can be sent. */
function refresh(error = "") {
  pending = null;
  unsaid &&= !parcel.empty;
  worker.call("expect", [parcel.size]).catch(() => {}); // told when it is sent
  showParcel(parcel, (name) => {
    const at = parcel.bundles.findIndex((bundle) => bundle.name === name);
    parcel.remove(name);
    refresh();
    focusRow(Math.min(at, parcel.bundles.length - 1));
  });
  hook("status").textContent = parcel.empty ? "" : say("upload.list.sum", { files: say("count.files", { n: parcel.files }), size: format.size(parcel.size) });
  store.set({ state: parcel.empty && !note.value.trim() ? "idle" : "ready", error });
}

/**
 * Keeps the focus where a row was removed: on the next one, or where files are chosen.
 * @param {number} row
 */
function focusRow(row) {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (hook("list").querySelectorAll("[data-hook=file] button"));
  (buttons[row] ?? hook("files")).focus();
}

let adding = Promise.resolve();

/**
 * Adds what is collected, in the order in which it was chosen.
 * @param {Promise<Item[]> | Item[]} collection
 */
function add(collection) {
  Promise.resolve(collection).catch(() => {}); // told when its turn comes
  adding = adding.then(() => addNow(collection));
}

/** @param {Promise<Item[]> | Item[]} collection */
async function addNow(collection) {
  const { state } = store.value;
  if (state === "sending" || state === "done") return;
  store.set({ adding: true });
  let error = "";
  try {
    const items = await collection;
    /** @type {Item[]} */
    const good = [];
    let due = performance.now() + SLICE;
    for (const item of items) {
      if (performance.now() > due) {
        await new Promise((resolve) => setTimeout(resolve));
        due = performance.now() + SLICE;
      }
      if (!nameAllowed(item.name)) error ||= say("upload.refused.name", { name: format.name(item.name) });
      else if (item.file && await unreadable(item.file)) error ||= say("upload.refused.folder", { name: format.name(item.name) });
      else good.push(item);
    }
    parcel.add(good);
  } catch (e) {
    error = explain(e).whole;
  }
  store.set({ adding: false });
  refresh(error);
}

for (const name of ["files", "folder"]) {
  const input = /** @type {HTMLInputElement} */ (hook(name));
  const take = () => {
    const items = fromFiles(input.files ?? []);
    if (items.length || name !== "folder") add(items);
    else refresh(say("upload.refused.emptyFolder"));
    input.value = ""; // so that the same choice is a change again
  };
  input.addEventListener("change", take);
  if (name === "files" && givesHandles) {
    input.addEventListener("click", (e) => {
      e.preventDefault();
      add(handles().then(({ pick }) => pick()));
    });
  }
  if (input.files?.length) take(); // chosen before this script was there
}

/**
 * Whether text is dragged to a place where one writes. Whatever else is dropped must not lead away from the page.
 * @param {DragEvent} e
 */
const isText = (e) => e.target instanceof Element && e.target.matches("textarea, input") && !e.dataTransfer?.types.includes("Files");

addEventListener("dragover", (e) => {
  if (isText(e)) return;
  e.preventDefault();
  main.toggleAttribute("data-over", e.dataTransfer?.types.includes("Files") ?? false);
});
addEventListener("dragleave", (e) => {
  if (!e.relatedTarget) main.toggleAttribute("data-over", false);
});
addEventListener("drop", (e) => {
  if (isText(e)) return;
  e.preventDefault();
  main.toggleAttribute("data-over", false);
  if (e.dataTransfer) add(fromTransfer(e.dataTransfer));
});
addEventListener("paste", (e) => {
  const data = e.clipboardData;
  const writing = e.target instanceof Element && e.target.matches("textarea, input");
  // Text goes where the cursor is. Office programs put a picture of it beside it.
  if (!data?.files.length || (writing && data.types.includes("text/plain"))) return;
  e.preventDefault();
  add(fromTransfer(data));
});

note.addEventListener("input", () => {
  const { state } = store.value;
  if (state === "idle" || state === "ready") store.set({ state: parcel.empty && !note.value.trim() ? "idle" : "ready" });
  else store.set({});
});

/**
 * Ties what is said to have gone wrong to the password, or no more.
 * @param {boolean} wrong
 */
function blamePassword(wrong) {
  password.setAttribute("aria-invalid", String(wrong));
  if (wrong) password.setAttribute("aria-describedby", "error");
  else password.removeAttribute("aria-describedby");
}

const clearPassword = reveal(password, hook("reveal"));
password.addEventListener("input", () => blamePassword(false));
password.addEventListener("focus", () => import("./phrase-view.js").then(({ offer }) => offer(password)).catch(() => {}));

/** @returns {Shipment} */
function shipment() {
  const { items } = parcel;
  const single = items.length === 1 && items[0].file !== null && !items[0].name.includes("/");
  return {
    kind: parcel.empty ? "note" : single ? "file" : "tar",
    note: note.value.trim() && note.value, // as it was written: it may be code
    items: parcel.empty ? [noteItem(note.value)] : items,
    password: password.value || null,
    lifetime: Number(expiry.value),
    maxDownloads: Number(downloads.value),
    keep: true,
    handles: [],
  };
}

/** Rejects when the person gives up, which needs no worker while nothing has been sent. */
const cancelled = () => /** @type {Promise<never>} */ (new Promise((_, reject) => {
  hook("cancel").addEventListener("click", () => reject(Object.assign(new Error("cancelled"), { code: "cancelled" })), { once: true });
}));

/** For what has to be sent anew. */
function askPassword() {
  unsaid = false;
  store.set({ state: "ready", error: say("upload.anew.password"), link: "" });
  blamePassword(true);
  password.focus();
}

async function send() {
  if (unsaid && !password.value) return askPassword();
  if (password.value && !password.value.trim()) {
    store.set({ error: say("upload.refused.blankPassword") });
    blamePassword(true);
    return password.focus();
  }
  await transfer("send", shipment(), "");
}

/**
 * Goes on with an upload that another page began.
 * @param {Offer} offer
 * @param {Item[]} items
 */
async function resume({ id, upload }, items) {
  parcel.clear();
  if (upload.kind !== "note") parcel.add(items);
  note.value = upload.note;
  clearPassword();
  refresh();
  choose(expiry, upload.lifetime);
  choose(downloads, upload.maxDownloads);
  unsaid = upload.password;
  await transfer("resume", { id, items, handles: [] }, linkOf(id, upload.fragment));
}

/**
 * @param {string} id
 * @param {string} fragment
 */
const linkOf = (id, fragment) => `${site}/d/${id}#${fragment}`;

/**
 * @param {"send" | "resume"} method of the worker
 * @param {Shipment | Resumption} what
 * @param {string} link as far as it is known
 */
async function transfer(method, what, link) {
  const guarded = method === "resume" ? unsaid : password.value !== "";
  store.set({ state: "sending", error: "", link, posted: null, kept: method === "resume", guarded, paused: false });
  progress.start(parcel.size);
  pending = null;
  let word;
  try {
    const found = givesHandles ? handles().then(({ handlesOf }) => handlesOf(what.items)) : [];
    [what.handles] = await Promise.race([Promise.all([found, prepared(), keeping]), cancelled()]);
    if ("keep" in what) what.keep = keep.value === "yes";
    if (store.value.config?.uploads === "token") what.uploadToken = await tokenToShow(method);
    const posting = worker.call(method, [what], { news: listen });
    if (store.value.paused) worker.call("pause", []); // pressed before
    const posted = await posting;
    word = say("upload.done.tab");
    unsaid = false;
    store.set({ state: "done", link: posted.link, posted });
    clearPassword();
  } catch (e) {
    const { link, kept } = store.value;
    const id = new URL(link || location.href).pathname.slice(base.length).split("/")[2];
    await stopped(e);
    const broken = store.value.state === "error" && /** @type {any} */ (e).left === undefined;
    if (broken && kept && id) pending = { what: { id, items: what.items, handles: what.handles }, link };
  } finally {
    progress.stop(word);
  }
}

const uploadTokens = () => import("./upload-token.js");

/**
 * The upload token of this browser. Throws "upload-token" without one, but an upload that goes on may do without.
 * @param {"send" | "resume"} method
 */
async function tokenToShow(method) {
  const token = await uploadTokens().then((it) => it.find());
  if (!token && method === "send") throw Object.assign(new Error("no upload token"), { code: "upload-token" });
  return token;
}

/** Asks for an upload token, in the place of one that is no good, and sends with it. */
async function askToken() {
  const { config } = store.value;
  if (config) store.set({ config: { ...config, uploads: "token" } }); // it may not have asked before
  await uploadTokens().then((it) => it.forget());
  const { askForToken } = await import("./token-view.js");
  await askForToken(() => keep.value === "yes");
  hook("start").click();
}

/**
 * What an upload ends in that does not end in a link.
 * @param {any} e
 */
async function stopped(e) {
  if (e.code === "elsewhere") {
    parcel.clear();
    note.value = "";
    refresh(explain(e).whole);
  } else if (e.code === "anew") {
    askPassword();
  } else if (e.code === "cancelled") {
    store.set({ state: "ready", error: say(e.left ? "upload.sending.left" : "upload.sending.cancelled"), link: "" });
  } else {
    await fail(e);
  }
}

/** @param {any} e */
async function fail(e) {
  const reason = e.code === "not-found" ? { code: "lost" } : await build.reason(e);
  const { title, text } = explain(Object.assign(reason, { limit: store.value.config?.maxShareSize }));
  store.set({ state: "error", trouble: title, outdated: reason.code === "outdated", error: text, link: "" });
  if (reason.code === "upload-token") askToken().catch(async (e) => store.set({ error: explain(await build.reason(e)).whole }));
}

/** @param {UploadNews} news */
function listen(news) {
  if (news.type === "link") store.set({ link: news.link, kept: news.kept });
  else if (news.type === "anew") store.set({ error: say(`upload.anew.${news.reason}`), link: "", kept: false });
  else progress.update(news);
}

hook("start").addEventListener("mousedown", (e) => e.preventDefault()); // else a field closes, and the button is elsewhere when it is let go
hook("start").addEventListener("click", () => (pending ? transfer("resume", pending.what, pending.link) : send()));
for (const terms of [note, password, expiry, downloads, keep]) terms.addEventListener("input", () => (pending = null));
hook("cancel").addEventListener("click", () => {
  progress.say(say("upload.sending.cancelling"));
  worker.call("cancel", []);
});
for (const [name, paused] of /** @type {[string, boolean][]} */ ([["pause", true], ["resume", false]])) {
  hook(name).addEventListener("click", () => {
    worker.call(paused ? "pause" : "proceed", []);
    progress.pause(paused);
    store.set({ paused });
    hook(paused ? "resume" : "pause").focus();
  });
}
hook("again").addEventListener("click", () => {
  parcel.clear();
  note.value = "";
  clearTab();
  store.set({ link: "", posted: null, error: "" });
  refresh();
  clearPassword(); // and the words that were suggested for what was sent
  offer().catch(() => {});
});

copies(hook("copy"), link, () => link.value);

/** Tells what is not there yet, and goes on when the device is connected again. */
async function check() {
  const waiting = () => store.value.state === "idle" || store.value.state === "ready";
  const told = await prepared().then(() => "", async (e) => explain(await build.reason(e)).whole);
  if (waiting()) store.set({ error: told });
  if (!told) offer().catch(() => {});
}

const offering = {
  resume,
  /** @param {Offer} offer */
  show({ id, upload, share }) {
    if (!share) return;
    const link = linkOf(id, upload.fragment);
    const entries = upload.kind === "note" ? [] : upload.entries;
    const files = entries.filter(({ name }) => !name.endsWith("/")).length;
    const size = entries.reduce((n, entry) => n + entry.size, 0);
    store.set({ state: "done", link, posted: { link, share, sealed: share.size, files, size } });
  },
  idle: () => store.value.state === "idle" && !store.value.adding,
};

/** Offers to go on with what another page began, after the first paint. */
async function offer() {
  const engine = await preparing;
  if (!offering.idle()) return;
  const { offerAll } = await import("./unfinished-view.js");
  await offerAll(engine, offering);
}

// WebKit keeps a page that one has left, for the way back, with its workers and their locks. What another page can go on with is let go.
let left = false;
addEventListener("pagehide", ({ persisted }) => {
  left = persisted && store.value.state === "sending" && store.value.kept;
  if (left) worker.terminate();
});
addEventListener("pageshow", () => {
  if (left) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) offer().catch(() => {});
});
check();
addEventListener("online", () => preparing.catch(check));
eachMinute(() => showLead(store.value));
build.watch(() => store.value.state !== "sending");
build.started();
