// @ts-check
// What a page shows of a transfer under way.
//
// Percent, bar and ring count what the other side has acknowledged: parts that the server has stored, bytes that the browser
// has taken. The paler ring before it is what has been sealed and is on its way. Neither says 100 % before all is over: the last
// bytes still have padding behind them and the server's word to come. The speed and the time left are told from what moves on
// the line, since a part takes long on a slow one.

import { hook } from "./dom.js";
import * as format from "./format.js";
import { say } from "./messages.js";
import { Estimate } from "./rate.js";
import { clearTab, holdTab, releaseTab, showInTab } from "./tab.js";

/** @import { Beside, Progress as Moves, UploadProgress } from "./types.d.ts" */
/** @typedef {Moves & Partial<UploadProgress> & Beside} News */

const LOOK_EVERY = 250; // milliseconds. To paint oftener takes a good part of a processor, which the transfer has a use for
const RATE_EVERY = 1000;
const SAY_EVERY = 10_000;
const SAY_STEP = 10; // percent
const LAST = 0.99;
const WORTH = 3; // percent saved, below which it is not worth a word

export class Progress {
  /** @type {News | null} */
  #news = null;
  #total = 0;
  #before = 0; // what was there already, and tells nothing of the speed
  #offline = false;
  #paused = false;
  #held = false; // a sentence stands in place of numbers
  #looked = 0;
  #rated = 0;
  #timer = 0;
  /** @type {Estimate | null} */
  #estimate = null;
  #saying = new Saying();

  constructor() {
    addEventListener("offline", () => this.#connected(false));
    addEventListener("online", () => this.#connected(true));
  }

  /**
   * Begins to show a transfer of about total bytes.
   * @param {number} total
   */
  start(total) {
    this.#news = this.#estimate = null;
    this.#total = total;
    this.#before = 0;
    this.#offline = this.#paused = this.#held = false;
    this.#looked = this.#rated = -Infinity;
    this.#saying.start(performance.now());
    this.#draw(0, 0);
    for (const name of ["rate", "saved"]) hook(name).textContent = "";
    hook("amount").textContent = say("progress.preparing");
    holdTab();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** @param {News} news */
  update(news) {
    const now = performance.now();
    this.#total = news.total ?? this.#total;
    if (news.checking) {
      this.#before = news.moved;
      this.#estimate = null;
    }
    this.#estimate ??= new Estimate(this.#total - this.#before, now);
    this.#estimate.note(news.moved - this.#before, now);
    if (news.moved > (this.#news?.moved ?? 0)) this.#offline = false;
    this.#news = news;
    if (now - this.#looked >= LOOK_EVERY) this.#look();
  }

  /**
   * Shows a sentence in place of numbers, until the end.
   * @param {string} sentence
   */
  say(sentence) {
    this.#held = true;
    hook("amount").textContent = sentence;
    hook("rate").textContent = "";
  }

  /** @param {boolean} paused by the person */
  pause(paused) {
    this.#paused = paused;
    if (this.#news) this.#look();
    else if (paused) hook("rate").textContent = say("progress.paused");
  }

  /**
   * Ends it. What is left to say is said by the page; in the title of the tab a word stays.
   * @param {string} [word]
   */
  stop(word) {
    clearInterval(this.#timer);
    releaseTab();
    clearTab(word);
    this.#saying.stop();
    this.#news = null;
  }

  /** @param {boolean} connected */
  #connected(connected) {
    this.#offline = !connected;
    if (this.#news) this.#look();
  }

  #look() {
    const news = this.#news;
    if (!news || !this.#estimate) return;
    const now = (this.#looked = performance.now());
    const whole = news.done >= this.#total;
    const part = news.joining ? LAST : this.#total > 0 ? Math.min(LAST, news.done / this.#total) : 0;
    this.#draw(part, Math.max(part, this.#total > 0 ? (news.framed ?? 0) / this.#total : 0));
    if (this.#held) return;
    hook("amount").textContent = say("progress.amount", { done: format.size(news.done), total: format.size(this.#total) });
    const { perSecond, left, stalled } = this.#estimate.tell(now);
    const resting = this.#resting(news, whole, stalled);
    if (resting || now - this.#rated >= RATE_EVERY) {
      this.#rated = resting ? -Infinity : now;
      hook("rate").textContent = resting || pace(perSecond, left);
      hook("saved").textContent = news.also ?? saved(news);
    }
    this.#saying.consider(now, part * 100, left, this.#paused || this.#offline || (stalled && !whole) ? resting : "");
  }

  /**
   * Why nothing is told of speed and time, if nothing is.
   * @param {News} news
   * @param {boolean} whole
   * @param {boolean} stalled
   */
  #resting(news, whole, stalled) {
    if (this.#paused) return say("progress.paused");
    if (this.#offline) return say("progress.offline");
    if (news.checking) return say("progress.checking");
    if (news.joining) return say("progress.joining");
    if (stalled && news.rests) return news.rests;
    if (whole) return say("progress.finishing");
    return stalled ? say("progress.stalled") : "";
  }

  /**
   * @param {number} part from 0 to 1
   * @param {number} sealed the same
   */
  #draw(part, sealed) {
    const bar = /** @type {HTMLProgressElement} */ (hook("progress"));
    bar.max = Math.max(1, this.#total);
    bar.value = part * bar.max;
    const percent = say("progress.percent", { n: Math.floor(part * 100) });
    hook("percent").textContent = percent;
    for (const [ring, to] of /** @type {[string, number][]} */ ([[".ring", part], [".ring-sealed", sealed]])) {
      document.querySelector(ring)?.setAttribute("stroke-dashoffset", String(100 - to * 100));
    }
    showInTab(part, percent);
  }
}

/**
 * @param {number | null} perSecond
 * @param {number | null} left
 */
function pace(perSecond, left) {
  if (!perSecond) return "";
  const rate = format.size(perSecond);
  return left === null ? say("progress.rate", { rate }) : say("progress.pace", { rate, time: format.span(left) });
}

/**
 * @param {number} percent
 * @param {number | null} left
 */
function spoken(percent, left) {
  return left === null ? say("progress.spoken", { n: percent }) : say("progress.spokenLeft", { n: percent, time: format.span(left) });
}

/**
 * What compression has spared so far, counted over finished frames.
 * @param {Partial<UploadProgress>} news
 */
function saved({ framed = 0, compressed = 0 }) {
  const percent = framed > 0 ? Math.floor(100 - (100 * compressed) / framed) : 0;
  return percent >= WORTH ? say("progress.saved", { n: percent }) : "";
}

/**
 * What screen readers are told meanwhile: every tenth of the way, but not oftener than every ten seconds, and that it stands
 * still. Start and end are told by the heading, which gets the focus then.
 */
class Saying {
  #percent = 0;
  #at = 0;
  #resting = "";

  /** @param {number} now */
  start(now) {
    this.#percent = 0;
    this.#at = now;
    this.#resting = "";
    hook("status").textContent = "";
  }

  stop() {
    hook("status").textContent = "";
  }

  /**
   * @param {number} now
   * @param {number} percent
   * @param {number | null} left
   * @param {string} resting
   */
  consider(now, percent, left, resting) {
    const step = Math.floor(percent / SAY_STEP) * SAY_STEP;
    const rests = resting !== "" && resting !== this.#resting;
    this.#resting = resting;
    if (!rests && (now - this.#at < SAY_EVERY || step <= this.#percent || resting)) return;
    this.#at = now;
    this.#percent = Math.max(step, this.#percent);
    hook("status").textContent = rests ? resting : spoken(step, left);
  }
}
