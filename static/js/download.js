// @ts-check
// The download page: read the link, show what is in it, save it.
//
// The key is in the address after "#". It is taken out of the address bar at once and kept in the history entry, so that a
// reload works; the browser's own history may all the same have noted the full link.

import "./ground.js";
import { base } from "./base.js";
import * as build from "./build.js";
import { copies } from "./copy.js";
import { countDown, eachMinute } from "./countdown.js";
import { hook, showAlert } from "./dom.js";
import { headline, prepare, showFacts, showKept, showManifest, showNote, tellFetched } from "./download-view.js";
import * as format from "./format.js";
import { say } from "./messages.js";
import { Progress } from "./progress.js";
import { Remote } from "./remote.js";
import { reveal } from "./reveal.js";
import { Store } from "./store.js";
import { explain } from "./trouble.js";

/** @import { Viewer } from "./preview.js" */
/** @import { Some } from "./download-view.js" */
/** @import { Pick } from "./pick.js" */
/** @import { Destination } from "./save.js" */
/** @import { FollowNews, Kept, MessageKey, Opened, SaveNews, SaveProgress, Share } from "./types.d.ts" */
/** @import { Trouble } from "./trouble.js" */
/** @import { Manifest } from "../worker/engine.d.ts" */

const SETTLE_WAIT = 2000; // milliseconds
const GONE = new Set(["not-found", "no-downloads-left", "given-up"]);

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const progress = new Progress();
const password = /** @type {HTMLInputElement} */ (hook("password"));
const store = new Store({
  state: /** @type {"loading" | "locked" | "ready" | "receiving" | "done" | "gone" | "error"} */ ("loading"),
  error: "",
  trouble: /** @type {Trouble | null} */ (null),
  busy: false,
  resting: false, // after too many wrong passwords
  waiting: false, // for the sender to send what is needed to show anything
  sent: 0, // at least so much of what is still being sent has arrived, from 0 to 1
  givenUp: false, // by the sender, before all was sent
  way: "", // of the last save
  picked: false, // it was not of all
  fetched: 0, // sealed bytes that were needed for it, if it was not all of the share
  spent: false, // nothing more can be saved
  over: false, // the server has nothing any more
  share: /** @type {Share | null} */ (null),
  manifest: /** @type {Manifest | null} */ (null),
  kept: /** @type {Kept | null} */ (null), // by an earlier page
  note: /** @type {string | null} */ (null), // that is a share of its own, when it was asked for
  taken: false, // a download was taken before, by this page or an earlier one
  viewer: /** @type {Viewer | null} */ (null), // shows things without saving them, once it is there
});

let learnt = 0; // when the share was, by this device's clock; milliseconds
let seenWith = ""; // the ticket under which something was looked at, if the worker has it

const { id, fragment } = readLink();
const worker = new Remote(new URL("../worker/download.js", import.meta.url));

function readLink() {
  const kept = history.state ?? {};
  const fragment = location.hash.slice(1);
  const link = { id: location.pathname.slice(base.length).split("/")[2] ?? "", fragment: fragment || kept.fragment || "" };
  // A ticket from before a reload belongs to the same link only.
  const ticket = !fragment || fragment === kept.fragment ? kept.ticket ?? null : null;
  history.replaceState({ fragment: link.fragment, ticket }, "", location.pathname);
  return link;
}

/** @param {string | null} ticket */
function keepTicket(ticket) {
  history.replaceState({ ...history.state, ticket }, "", location.pathname);
  store.set({ taken: ticket !== null });
}

store.onchange((now, old) => {
  const { state, share, manifest } = now;
  if (share !== old.share) learnt = Date.now();
  main.dataset.state = state;
  main.dataset.kind = manifest?.kind ?? "";
  main.dataset.way = now.way;
  main.toggleAttribute("data-spent", now.spent);
  showAlert(now.error);
  /** @type {HTMLButtonElement} */ (hook("unlock")).disabled = now.busy || now.resting;
  /** @type {HTMLButtonElement} */ (hook("download")).disabled = now.busy;
  showWay(now);
  if (manifest && (manifest !== old.manifest || share?.state !== old.share?.state || now.viewer !== old.viewer)) {
    const { viewer } = now, whole = share?.state !== "open";
    showManifest(manifest, { save, whole, preview: manifest.kind === "tar" ? viewer?.open : undefined, previewable: viewer?.previewable });
    viewer?.offer(manifest, whole);
  }
  if (share) showFacts(now, share, remaining(share));
  const [title, lead] = headings(now);
  hook("title").replaceChildren(...title);
  hook("lead").textContent = lead;
  if (manifest) hook("download").textContent = label(now, manifest);
  if (manifest) showKept(now, manifest);
  if (now.note !== null && now.note !== old.note) showNote(now.note);
  if (state === "gone" && state !== old.state) {
    for (const name of ["why", "what"]) hook(name).textContent = say(/** @type {MessageKey} */ (`download.${now.givenUp ? "givenUp" : "gone"}.${name}`));
  }
  if (state !== old.state || (now.waiting && !old.waiting)) (state === "locked" ? password : hook("title")).focus();
});

/**
 * Shows the button that leads out of a trouble: save again, where there is something to save; else open again, or reload.
 * @param {typeof store.value} now
 */
function showWay({ state, trouble, manifest }) {
  const way = state === "error" ? trouble?.way : "again";
  hook("download").hidden = way !== "again";
  hook("retry").hidden = !way || (way === "again" && manifest !== null);
  hook("retry").textContent = way === "reload" ? say("page.reload") : say("download.save.retry");
}

/**
 * @param {typeof store.value} now
 * @param {Manifest} manifest
 */
function label({ state, kept, busy, picked }, manifest) {
  if (manifest.kind === "note" && state !== "error") return say(busy ? "download.note.opening" : "download.note.show");
  if (state === "ready" && kept) return say("download.save.continue");
  if (state === "done" && !picked) return say("download.save.again");
  return state === "error" ? say("download.save.retry") : say("download.save.all", { n: manifest.entries.length, size: format.size(manifest.size) });
}

/**
 * @param {typeof store.value} now
 * @returns {[title: (Node | string)[], lead: string]}
 */
function headings({ state, trouble, waiting, sent, givenUp, way, share, manifest, note, over }) {
  if (state === "gone") return [[say(givenUp ? "download.givenUp.title" : "download.gone.title")], ""];
  if (state === "error") return [[trouble?.title ?? ""], ""];
  if (waiting) return [[say("download.waiting.title")], say("download.waiting.lead")];
  if (state === "done" && note !== null) return [[say("download.note.title")], say(over ? "download.note.over" : "download.note.shown")];
  if (state === "done" && way === "file") return [[say("download.done.title")], say("download.done.leadFile")];
  const open = share?.state === "open";
  if (state === "receiving" && open) return [[say("download.receiving.title")], say("download.following.receiving")];
  if (state !== "ready") return [[say(`download.${state}.title`)], say(`download.${state}.lead`)];
  if (!share || !manifest) throw new Error("BUG: ready without a manifest");
  if (open && manifest.kind === "note") return [headline(manifest), ""]; // the rest takes no time
  if (open) return [headline(manifest), sent ? say("download.following.sent", { n: percent(sent) }) : say("download.following.begun")];
  const times = { moment: format.moment(share.created), time: format.span(Math.max(1, remaining(share))) };
  return [headline(manifest), say(manifest.kind === "note" ? "download.note.lead" : "download.ready.lead", times)];
}

/**
 * In whole percent, and never all of what is not over.
 * @param {number} part from 0 to 1
 */
const percent = (part) => Math.min(99, Math.floor(part * 100));

/**
 * The seconds that a share has left.
 * @param {Share} share
 */
const remaining = ({ expires, now }) => expires - now - Math.max(0, Date.now() - learnt) / 1000;

/** Says again what has got old; when the share's time should be over, the server is asked. */
function lookAgain() {
  const { state, share } = store.value;
  if ((state === "ready" || state === "locked") && share?.state === "ready" && remaining(share) < 0) open();
  else store.set({});
}

/** @param {Opened} opened */
async function show({ share, manifest, locked, kept, taken }) {
  await prepare(manifest);
  store.set({ state: manifest ? "ready" : locked ? "locked" : "loading", share, manifest, kept, taken, waiting: !manifest && !locked, error: "" });
  catchUp();
  if (share.state === "open") follow();
}

let following = false;
let manifestSent = false; // and the page has not asked for it since

/** Keeps up with what the sender is still sending, until all of it has arrived. */
async function follow() {
  if (following) return;
  following = true;
  try {
    store.set({ share: await worker.call("follow", [], { news: hear }) });
    if (store.value.state === "ready") hook("status").textContent = say("download.following.arrived");
  } catch (e) {
    const { state } = store.value;
    const { code } = /** @type {any} */ (e);
    if (code === "ended" || state === "receiving" || state === "gone") return; // a save tells by itself
    if (code === "given-up") worker.call("forget", []).catch(() => {});
    fail(e);
  } finally {
    following = false;
  }
}

/** @param {FollowNews} news */
function hear({ sent, manifest }) {
  store.set({ sent });
  manifestSent = manifest;
  catchUp();
}

/** Opens the manifest, if that was waited for and has arrived. */
function catchUp() {
  if (!store.value.waiting || !manifestSent) return;
  manifestSent = false;
  worker.call("manifest", []).then(show).catch(fail);
}

/** @param {any} e */
async function fail(e) {
  if (GONE.has(e.code)) {
    const error = e.partial ? say("download.error.partial", { error: say("download.givenUp.nothing") }) : "";
    return store.set({ state: "gone", givenUp: e.code === "given-up", waiting: false, error });
  }
  const trouble = explain(await build.reason(e));
  if (e.code === "no-stream") return store.set({ state: "ready", error: trouble.whole }); // smaller things may still be saved
  const error = e.code === "offline" && !store.value.manifest ? say("download.error.offline") : trouble.text;
  store.set({ state: "error", trouble, waiting: false, error: e.partial ? say("download.error.partial", { error }) : error });
  if (e.code === "no-fragment" || e.code === "bad-link") import("./missing-view.js").then(({ askForRest }) => askForRest()).catch(() => {});
}

async function open() {
  seenWith = ""; // the worker begins anew, too
  store.set({ state: "loading", error: "", waiting: false, sent: 0 });
  try {
    if (!fragment) throw Object.assign(new Error("no fragment"), { code: "no-fragment" });
    const opened = await worker.call("open", [id, fragment, history.state.ticket]);
    seenWith = ""; // something may have been looked at meanwhile
    await show(opened);
  } catch (e) {
    fail(e);
  }
}

/** @param {number | undefined} tries */
function wrongPassword(tries) {
  if (tries === undefined) return say("download.locked.wrong");
  return tries === 0 ? say("download.locked.lastTry") : say("download.locked.tries", { n: tries });
}

/** @param {Event} e */
async function unlock(e) {
  e.preventDefault();
  if (store.value.busy || store.value.resting) return;
  store.set({ busy: true, error: "" });
  try {
    const opened = await worker.call("unlock", [password.value]);
    clearPassword();
    await show(opened);
  } catch (e) {
    const { code, triesLeft, retryAfter } = /** @type {any} */ (e);
    if (code === "wrong-password") store.set({ error: wrongPassword(triesLeft) });
    else if (code === "too-many-tries") rest(retryAfter ?? 60);
    else if (code === "offline" || code === "unavailable" || code === "too-many-requests") store.set({ error: explain(e).whole });
    else await fail(e);
    if (store.value.state !== "locked") return;
    password.setAttribute("aria-invalid", String(code === "wrong-password"));
    password.focus(); // also from the button, which rested meanwhile
    password.select();
  } finally {
    store.set({ busy: false });
  }
}

/**
 * Counts down to the moment from which another password may be tried.
 * @param {number} seconds
 */
function rest(seconds) {
  store.set({ resting: true, error: say("download.locked.tooMany", { time: format.span(seconds) }) });
  countDown(seconds, (left) => {
    hook("unlock").textContent = left ? say("download.locked.wait", { time: format.clock(left) }) : say("download.locked.open");
    if (!left) store.set({ resting: false, error: say("download.locked.rested") });
  });
}

/** Why the save under way is to end; "" if it is not. */
let halted = "";
/** Sealed bytes that it has needed so far, if it is not going to need all. */
let fetched = 0;

/** @param {"cancelled" | "interrupted"} why */
function halt(why) {
  halted = why;
  worker.call("stop", [why]).catch(() => {});
}

/**
 * Saves one entry, some of them, or all.
 * @param {number | Some | null} what
 */
async function save(what) {
  const { manifest, busy, kept } = store.value;
  if (!manifest || busy) return;
  const pressed = /** @type {HTMLElement | null} */ (document.activeElement);
  store.set({ busy: true, error: "" });
  const ways = await saving.catch(fail);
  if (!ways) return store.set({ busy: false });
  const pick = what === null ? null : ways.pick(manifest, what);
  const { name: path, size } = pick ?? { name: manifest.saveName, size: manifest.size };
  const name = format.saveName(path);
  const { cancelled, file } = await ways.askWhere(name, !pick && kept ? kept.file : null);
  if (cancelled) {
    store.set({ busy: false });
    return pressed?.focus();
  }
  halted = "";
  fetched = 0;
  store.set({ state: "receiving", kept: pick ? kept : null, picked: pick !== null, fetched: 0 });
  progress.start(size);
  let word;
  try {
    const target = await ways.destination(name, size, file, () => halt("interrupted"));
    store.set({ way: target.way });
    const outcome = await pour(target, pick, file).finally(() => target.close());
    const settled = settle(outcome === "complete" && !pick);
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, SETTLE_WAIT))]); // nothing that was saved depends on it
    if (outcome === "complete") {
      word = say("download.done.tab");
      store.set({ state: "done", fetched });
    } else store.set({ state: "ready", error: say(target.way === "stream" ? "download.receiving.cancelledPartly" : "download.receiving.cancelled") });
  } catch (e) {
    await fail(e);
  } finally {
    progress.stop(word);
    store.set({ busy: false });
  }
}

/** Shows a note, which counts as a download. */
async function read() {
  if (store.value.busy) return;
  store.set({ busy: true, error: "" });
  try {
    keepTicket(await worker.call("take", [false]));
    const note = await worker.call("read", []);
    store.set({ state: "done", note, busy: false });
    await settle(true);
  } catch (e) {
    await fail(e);
  } finally {
    store.set({ busy: false });
  }
}

/** What the viewer needs of this page. */
const looking = {
  worker,
  manifest: () => /** @type {Manifest} */ (store.value.manifest),
  costs: () => (store.value.taken ? null : store.value.share?.left ?? null),
  async take() {
    if (seenWith && seenWith === history.state.ticket) return;
    seenWith = await worker.call("see", []);
    keepTicket(seenWith);
    refresh(false);
  },
  /** @param {number} index */
  save: (index) => save(store.value.manifest?.kind === "tar" ? index : null),
  fail,
};

/**
 * @param {Destination} target
 * @param {Pick | null} pick
 * @param {FileSystemFileHandle | null} file
 * @returns {Promise<string>} outcome
 */
async function pour(target, pick, file) {
  let begun = false;
  const news = (/** @type {SaveNews} */ n) => {
    if (n.type === "progress") return progress.update(pick ? partly(n) : beside(n));
    begun = true;
    target.begin();
  };
  try {
    if (halted) throw Object.assign(new Error("it was ended before it began"), { code: halted });
    keepTicket(await worker.call("take", [!pick])); // only now: where nothing can be saved nothing is counted
    return await worker.call("save", [target.port, pick, { staged: target.way === "stage", file }], { news, transfer: [target.port] });
  } catch (e) {
    if (/** @type {any} */ (e).code === "cancelled") return "cancelled";
    throw Object.assign(/** @type {Error} */ (e), { partial: begun && target.way === "stream" }); // some browsers keep what they have
  }
}

/**
 * With how much of the share it needs, unless that is all.
 * @param {SaveProgress} news
 */
function partly(news) {
  const share = /** @type {Share} */ (store.value.share);
  fetched = news.fetched < share.size ? news.fetched : 0;
  return fetched ? { ...news, also: tellFetched(fetched, share) } : news;
}

/**
 * With what there is to say besides while the sender is still sending.
 * @param {SaveProgress} news
 */
function beside(news) {
  const { sent, waiting, done } = news;
  const { size } = /** @type {Manifest} */ (store.value.manifest);
  if (sent === undefined) return news;
  const framed = Math.max(sent * size, done);
  return { ...news, framed, also: say("download.following.also", { n: percent(framed / (size || 1)) }), rests: waiting ? say("download.following.rests") : "" };
}

/**
 * Tells the server when a ticket has served, and asks it what is left. Over a line that breaks now that takes minutes.
 * @param {boolean} finished
 */
async function settle(finished) {
  if (finished) {
    keepTicket(null);
    await worker.call("finish", []).catch(() => {}); // a lease also ends by itself
  }
  await refresh(finished);
}

/**
 * Asks the server what is left, of downloads or at all.
 * @param {boolean} finished whether the ticket has served
 */
async function refresh(finished) {
  try {
    const share = /** @type {Share} */ (await worker.call("refresh", []));
    store.set({ share, spent: finished && share.left === 0 });
  } catch (e) {
    if (GONE.has(/** @type {any} */ (e).code)) store.set({ spent: true, over: true });
  }
}

/** Deletes what an earlier page kept. */
async function forget() {
  store.set({ kept: null });
  hook("download").focus();
  await worker.call("forget", []).catch(fail);
}

const clearPassword = reveal(password, hook("reveal"));
hook("unlock-form").addEventListener("submit", unlock);
hook("download").addEventListener("click", () => (store.value.manifest?.kind === "note" ? read() : save(null)));
copies(hook("copy-note"), hook("note"), () => store.value.note ?? store.value.manifest?.note ?? "");
hook("cancel").addEventListener("click", () => halt("cancelled"));
hook("forget").addEventListener("click", forget);
hook("retry").addEventListener("click", () => (store.value.trouble?.way === "reload" ? location.reload() : open()));
addEventListener("online", () => {
  const { state, trouble, manifest } = store.value;
  if (state === "error" && !manifest && trouble?.way === "again") open();
});
addEventListener("hashchange", () => location.reload()); // another link was pasted over this one

open();
// Not needed for the first paint, but before anything is saved: who saves is told if it has not arrived.
const saving = import("./save.js").catch((e) => Promise.reject(Object.assign(e, { code: "not-loaded" })));
saving.then(({ prepare }) => prepare(), () => {});
import("./preview.js").then(({ viewer }) => viewer(looking)).then((viewer) => store.set({ viewer }), () => {}); // without it one saves
import("./besides.js").then(({ offer }) => offer(store, worker), () => {});
eachMinute(lookAgain);
build.watch(() => store.value.state !== "receiving");
build.started();
