// @ts-check
// How fast something moves, and how long it will take yet.
//
// Bytes come in bursts: parts are acknowledged at once, and a socket's buffer swallows megabytes before the line has carried
// any. So the speed is measured from one move to another, over a window that is long while things go evenly and is cut short
// when the speed has changed for good. What is told to a person moves less than what is measured: times are rounded to steps,
// fall freely, and rise only when they have been wrong for a while. Nothing is told before there is something to tell, and
// when nothing has moved for too long, that is what is told.

const WINDOW = 30_000; // milliseconds
const RECENT = 6_000; // what is compared with the window, to notice that the speed has changed
const CHANGE = 2; // the factor between the two that counts as a change,
const CHANGE_LASTS = 3_000; // and for how long it has to be there
const SPACING = 250; // between two samples
const LEAP = 1_000; // after the start: what moves now fills buffers
const ENOUGH = 3_000; // of samples to know a speed
const STALL = 6_000; // without a move, or twice the longest pause there was
const CALM = 4_000; // time constant of the time left
const RISE_LASTS = 5_000;

/** @typedef {{t: number, n: number}} Sample at t milliseconds, n bytes had moved */

/** What can be told: bytes per second and rounded seconds left (null: not known), and whether nothing moves at all. */
/** @typedef {{perSecond: number | null, left: number | null, stalled: boolean}} Told */

export class Estimate {
  #total;
  /** @type {Sample[]} */
  #samples;
  #start;
  #known = 0; // bytes per millisecond, from before a stall
  /** Since when the recent speed is another one. @type {number | null} */
  #changed = null;
  #shown = new Left();

  /**
   * @param {number} total bytes
   * @param {number} now milliseconds
   */
  constructor(total, now) {
    this.#total = total;
    this.#start = now;
    this.#samples = [{ t: now, n: 0 }];
  }

  /**
   * Notes that n bytes have moved; fewer than before when some were lost and are sent again.
   * @param {number} n
   * @param {number} now
   */
  note(n, now) {
    const last = this.#last;
    if (n === last.n) return;
    const known = this.#speed(last.t) || this.#known;
    // A pause that brings what it should have brought was none: whoever sees whole parts only sees such steps.
    const step = (n - last.n) / (now - last.t) > known / 2;
    if (n < last.n || (this.stalled(now) && !step)) {
      this.#known = known;
      this.#samples = [{ t: now, n }];
    } else if (now - this.#start < LEAP) {
      this.#samples = [{ t: now, n }];
    } else {
      this.#push({ t: now, n });
    }
    this.#trim(now);
  }

  /** @param {number} now */
  stalled(now) {
    const longest = this.#samples.reduce((gap, { t }, i) => Math.max(gap, i ? t - this.#samples[i - 1].t : 0), 0);
    return now - this.#last.t > Math.max(STALL, 2 * longest);
  }

  /**
   * @param {number} now
   * @returns {Told}
   */
  tell(now) {
    if (this.stalled(now)) {
      this.#shown.forget();
      return { perSecond: null, left: null, stalled: true };
    }
    const speed = this.#speed(now) || this.#known;
    if (!speed) return { perSecond: null, left: null, stalled: false };
    // Between two moves time goes on, and so, in all likelihood, do bytes.
    const { t, n } = this.#last;
    const left = Math.max(0, (this.#total - n) / speed - (now - t));
    return { perSecond: speed * 1000, left: this.#shown.show(left / 1000, now), stalled: false };
  }

  get #last() {
    return this.#samples[this.#samples.length - 1];
  }

  /** @param {Sample} sample */
  #push(sample) {
    const before = this.#samples[this.#samples.length - 2];
    if (before && this.#last.t - before.t < SPACING) this.#samples.pop(); // the last one moves along
    this.#samples.push(sample);
  }

  /**
   * Bytes per millisecond between the first sample and the last move, 0 while it is too early to tell. A move that is overdue
   * slows it down.
   * @param {number} now
   */
  #speed(now) {
    const first = this.#samples[0], { t, n } = this.#last;
    const time = t - first.t;
    if (this.#samples.length < 2 || time < ENOUGH) return 0;
    const pause = time / (this.#samples.length - 1);
    return (n - first.n) / (time + Math.max(0, now - t - 2 * Math.max(pause, SPACING)));
  }

  /** @param {number} now */
  #trim(now) {
    const samples = this.#samples;
    while (samples.length > 4 && now - samples[1].t >= WINDOW) samples.shift();
    const from = samples.findIndex(({ t }) => now - t <= RECENT);
    const recent = samples.length - from;
    if (recent < 6 || recent === samples.length) return;
    const slope = (/** @type {Sample} */ a, /** @type {Sample} */ b) => (b.n - a.n) / (b.t - a.t);
    const factor = slope(samples[from], this.#last) / slope(samples[0], samples[from]);
    if (factor < CHANGE && factor > 1 / CHANGE) this.#changed = null;
    else if (this.#changed === null) this.#changed = now;
    else if (now - this.#changed > CHANGE_LASTS) {
      this.#samples = samples.filter(({ t }) => now - t <= CHANGE_LASTS);
      this.#changed = null;
    }
  }
}

/** The time left as a person is told it. */
class Left {
  /** When it will be over, smoothed. @type {number | null} */
  #end = null;
  #asked = 0;
  /** @type {number | null} */
  #shown = null;
  /** Since when it should be more. @type {number | null} */
  #rising = null;

  forget() {
    this.#end = this.#shown = this.#rising = null;
  }

  /**
   * @param {number} seconds
   * @param {number} now
   */
  show(seconds, now) {
    const end = now + seconds * 1000;
    this.#end = this.#end === null ? end : this.#end + (end - this.#end) * (1 - Math.exp((this.#asked - now) / CALM));
    this.#asked = now;
    const calm = Math.max(0, this.#end - now) / 1000;
    const rounded = Math.max(1, round(calm));
    if (this.#shown === null || rounded < this.#shown) this.#set(rounded);
    else if (calm < this.#shown + Math.max(0.2 * this.#shown, 0.8 * stepAt(this.#shown)) + 1) this.#rising = null;
    else if (this.#rising === null) this.#rising = now;
    else if (now - this.#rising > RISE_LASTS) this.#set(rounded);
    return this.#shown;
  }

  /** @param {number} seconds */
  #set(seconds) {
    this.#shown = seconds;
    this.#rising = null;
  }
}

/** Below so many seconds people speak in steps of so many. @type {[number, number][]} */
const STEPS = [[10, 1], [57.5, 5], [570, 60], [3450, 300]];

/** @param {number} seconds */
const stepAt = (seconds) => STEPS.find(([below]) => seconds < below)?.[1] ?? 3600;

/** @param {number} seconds */
const round = (seconds) => Math.round(seconds / stepAt(seconds)) * stepAt(seconds);
