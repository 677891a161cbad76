// @ts-check
// The shares that this browser has sent: what it keeps of them, what the server says of each, and what one can do with them. Those
// in sight are asked about; what is not known is not made up.

import "./ground.js";
import * as api from "./api.js";
import * as build from "./build.js";
import { eachMinute } from "./countdown.js";
import { hook, showAlert } from "./dom.js";
import * as journal from "./journal.js";
import { keepsakeOf, learnt, linkOf, lost } from "./keepsake.js";
import * as kept from "./kept.js";
import { fill } from "./list.js";
import { has, load, say } from "./messages.js";
import { View, namesOf } from "./mine-view.js";
import { Store } from "./store.js";
import { askFirst } from "./sure.js";
import { explain } from "./trouble.js";

/** @import { Config, Keepsake, MessageKey } from "./types.d.ts" */
/** @import { Row } from "./mine-view.js" */

const AT_ONCE = 4; // requests
const TRIES = 2;
const FRESH = 15_000; // milliseconds for which an answer is not asked for again
const LOOK = 60_000; // milliseconds between two looks for what has expired, at most

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const store = new Store({
  state: /** @type {"loading" | "ready" | "empty"} */ ("loading"),
  nothing: false, // this browser keeps nothing
  unheard: /** @type {any} */ (null), // why the server could not be asked
  config: /** @type {Config | null} */ (null),
});

/** @type {Row[]} */
let rows = [];
/** Those that have been looked at. @type {Map<Element, View>} */
const views = new Map();
/** @type {Set<View>} */
const inSight = new Set();
/** @type {View[]} */
let queue = [];
let asking = 0;

store.onchange((now, old) => {
  main.dataset.state = now.state;
  showAlert(now.nothing ? say("mine.nothing") : now.unheard ? say("mine.unheard", { error: explain(now.unheard).whole }) : "");
  hook("again").hidden = !now.unheard;
  if (now.state === old.state && now.state !== "loading") return;
  hook("title").textContent = say(`mine.${now.state}.title`);
  hook("lead").textContent = say(`mine.${now.state}.lead`);
});

/** Reads what this browser has, and shows it anew if it is something else. */
async function read() {
  const all = await kept.list().catch(() => null);
  const begun = await journal.list().catch(() => []);
  const busy = await journal.sending().catch(() => new Set());
  const gathered = gather(all ?? [], begun, busy);
  const key = (/** @type {Row} */ { keepsake, sending }) => `${keepsake.id} ${sending}`;
  if (store.value.state === "loading" || gathered.map(key).join() !== rows.map(key).join()) {
    rows = gathered;
    showRows();
  }
  store.set({ state: rows.length ? "ready" : "empty", nothing: rows.length === 0 && !(await kept.possible()) });
}

/**
 * What is to be gone on with comes first.
 * @param {Keepsake[]} all
 * @param {journal.Kept[]} begun
 * @param {Set<string>} busy
 */
function gather(all, begun, busy) {
  /** @type {Map<string, Row>} */
  const found = new Map();
  const add = (/** @type {Keepsake} */ keepsake, /** @type {boolean} */ stored, /** @type {Row["sending"]} */ sending) =>
    found.set(keepsake.id, { keepsake, stored, sending, doubted: false, asked: 0 });
  for (const keepsake of all) add(keepsake, true, busy.has(keepsake.id) ? "elsewhere" : "");
  for (const { id, at, upload } of begun) {
    const known = found.get(id);
    if (known) known.sending = "here";
    else add(keepsakeOf(id, upload, at), false, "here");
  }
  const list = [...found.values()];
  return [...list.filter(({ sending }) => sending), ...list.filter(({ sending }) => !sending)];
}

const acts = { qr, change, revoke, forget };
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const view = views.get(target);
    if (!view) continue;
    inSight[isIntersecting ? "add" : "delete"](view);
    if (isIntersecting) want(view);
  }
}, { rootMargin: "100%" });

function showRows() {
  sight.disconnect();
  views.clear();
  inSight.clear();
  queue = [];
  const shown = rows;
  fill(hook("shares"), shown.length, (i) => {
    const view = new View(shown[i], acts);
    views.set(view.element, view);
    sight.observe(view.element);
    return view.element;
  }, null);
}

/**
 * Asks about a share when it is its turn.
 * @param {View} view
 */
function want(view) {
  const { keepsake, asked } = view.row;
  if (keepsake.state === "gone" || Date.now() - asked < FRESH || queue.includes(view)) return;
  queue.push(view);
  pump();
}

function pump() {
  while (asking < AT_ONCE && queue.length) {
    asking++;
    ask(/** @type {View} */ (queue.shift())).finally(() => {
      asking--;
      pump();
    });
  }
}

/** @param {View} view */
async function ask(view) {
  const { id, owner } = view.row.keepsake;
  try {
    heard(view, learnt(view.row.keepsake, await api.getShare(id, owner, TRIES), Date.now()));
  } catch (e) {
    unheard(view, e);
  }
}

/**
 * Takes what the server has told, or what that it knows nothing means.
 * @param {View} view
 * @param {Keepsake} keepsake
 */
function heard(view, keepsake) {
  const { row } = view;
  const news = JSON.stringify({ ...keepsake, seen: 0, expires: 0 }) !== JSON.stringify({ ...row.keepsake, seen: 0, expires: 0 }) ||
    Math.abs(keepsake.expires - row.keepsake.expires) > 2000;
  Object.assign(row, { keepsake, asked: Date.now(), doubted: false });
  if (row.stored && news) kept.update(keepsake).catch(() => {});
  view.show();
  if (!store.value.unheard) return;
  store.set({ unheard: null });
  askAll();
}

/**
 * @param {View} view
 * @param {any} e
 */
function unheard(view, e) {
  if (e.code === "not-found") return heard(view, lost(view.row.keepsake, Date.now()));
  queue = []; // it would be the same with the others
  for (const other of [view, ...inSight]) {
    other.row.doubted = other.row.keepsake.state !== "gone";
    other.show();
  }
  store.set({ unheard: e });
}

const askAll = () => inSight.forEach(want);

let drawing = false; // a second press must not open a second code

/** @param {View} view */
async function qr(view) {
  if (drawing) return;
  drawing = true;
  view.trouble("");
  try {
    const { showQR } = await later(import("./qr.js"));
    await showQR(linkOf(view.row.keepsake), view.opener, namesOf(view.row.keepsake));
  } catch (e) {
    view.trouble(words(await build.reason(e)));
  }
  drawing = false;
}

/** @param {View} view */
async function change(view) {
  view.trouble("");
  try {
    const [{ openTerms }] = await Promise.all([later(import("./mine-terms.js")), configure()]);
    openTerms(view, /** @type {Config} */ (store.value.config), (terms) => save(view, terms));
  } catch (e) {
    view.trouble(words(await build.reason(e)));
  }
}

/**
 * @param {View} view
 * @param {import("./types.d.ts").UpdateShare} terms
 */
async function save(view, terms) {
  const { id, owner } = view.row.keepsake;
  try {
    heard(view, learnt(view.row.keepsake, await api.updateShare(id, owner, terms), Date.now()));
  } catch (e) {
    if (/** @type {any} */ (e).code !== "not-found") return view.trouble(words(e));
    unheard(view, e);
  }
  const { state } = view.row.keepsake;
  view.panel.replaceChildren();
  view.focus(state === "ready" ? "extend" : "forget");
  if (state === "ready") hook("status").textContent = say("later.terms.saved");
}

/**
 * Has the server delete a share. It stays in the list, as something that is gone.
 * @param {View} view
 */
async function revoke(view) {
  const { id, owner } = view.row.keepsake;
  view.trouble("");
  try {
    await api.deleteShare(id, owner).catch((e) => {
      if (e.code !== "not-found") throw e;
    });
  } catch (e) {
    return view.trouble(words(e));
  }
  heard(view, lost(view.row.keepsake, Date.now(), "revoked"));
  view.focus("forget");
  hook("status").textContent = say("mine.gone.revoked");
}

/**
 * Erases what is kept of a share. One that is not finished is given up.
 * @param {View} view
 */
async function forget(view) {
  const { keepsake: { id, owner, state }, sending } = view.row;
  view.trouble("");
  try {
    if (sending === "here") {
      const unfinished = await import("./unfinished.js");
      await (state === "open" ? unfinished.forget({ id, upload: { owner } }) : unfinished.erase(id));
    }
    await kept.forget([id]);
  } catch (e) {
    return view.trouble(words(e));
  }
  rows = rows.filter((row) => row !== view.row);
  const next = view.element.nextElementSibling ?? view.element.previousElementSibling;
  views.delete(view.element);
  inSight.delete(view);
  view.element.remove();
  store.set({ state: rows.length ? "ready" : "empty" });
  hook("status").textContent = say("mine.forgotten");
  const button = /** @type {HTMLElement | null | undefined} */ (next?.querySelector("button:not([hidden])"));
  (button ?? hook("title")).focus();
}

/**
 * What stands in the way, in words of this page if it has some.
 * @param {any} e
 */
function words(e) {
  const own = `later.trouble.${e.code}`;
  return has(own) ? say(/** @type {MessageKey} */ (own)) : explain(e).whole;
}

/**
 * Brings a module that comes after the first paint, with what it says.
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T>}
 */
const later = (module) => Promise.all([module, load("later")]).then(([it]) => it, (e) => {
  throw Object.assign(e, { code: "not-loaded" });
});

/** Brings the server's choices. */
async function configure() {
  if (store.value.config) return;
  const config = await api.config(TRIES);
  build.compare(config);
  store.set({ config });
}

/** Takes note of what expires while the page is open. */
async function expire() {
  let next = await kept.sweep().catch(() => Infinity);
  const now = Date.now();
  for (const row of rows) {
    const { state, expires } = row.keepsake; // which may be a second later than what is stored
    if (state === "gone") continue;
    if (expires > now) next = Math.min(next, expires);
    else Object.assign(row, { keepsake: lost(row.keepsake, now), stored: false, sending: "" });
  }
  for (const view of views.values()) view.show();
  setTimeout(expire, Math.min(LOOK, Math.max(0, next - Date.now()) + 50));
}

askFirst(hook("forget-all"), "", () => say("mine.forgetAll.sure"), async () => {
  await kept.forgetAll().catch(() => {});
  await import("./upload-token.js").then((it) => it.forget()).catch(() => {});
  await read();
  hook("status").textContent = say("mine.forgotten");
  hook("title").focus();
});

const backup = () => later(import("./mine-backup.js")).catch(async (e) => {
  showAlert(words(await build.reason(e)));
  throw e;
});
const listing = () => rows.filter(({ stored }) => stored).map(({ keepsake }) => keepsake);
hook("export").addEventListener("click", () => backup().then(({ openExport }) => openExport(listing), () => {}));
hook("import").addEventListener("change", () => backup().then(({ openImport }) => openImport(read), () => {}));
hook("retry").addEventListener("click", askAll);

addEventListener("online", askAll);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) read().then(askAll, () => {});
});
read().then(expire);
configure().catch(() => {});
eachMinute(() => views.forEach((view) => view.show()));
// What earlier visits have left behind goes after the first paint.
import("./sweep.js").then(({ sweep }) => sweep(), () => {});
build.watch(() => true);
build.started();
