// @ts-check
// Numbers, times and names as people read them.

/** That of the page. Tests run without one. */
export const language = globalThis.document?.documentElement.lang || "en";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"];

/** @param {number} bytes */
export function size(bytes) {
  let unit = bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3);
  if (bytes / 1000 ** unit >= 999.5) unit++; // it would be rounded to a thousand
  unit = Math.min(UNITS.length - 1, unit);
  const value = bytes / 1000 ** unit;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[unit],
    unitDisplay: unit === 0 ? "long" : "short",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
  return text.replace(" ", "\u00a0");
}

/** @param {number} n */
export const count = (n) => n.toLocaleString(language);

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const SPANS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/**
 * A time span in the largest unit that tells it well: "1 day", "90 minutes". It is never told to be longer than it is, but for
 * a hundredth of the unit, since terms are promises.
 * @param {number} seconds
 */
export function span(seconds) {
  const whole = (/** @type {number} */ length) => Math.floor(seconds / length + 0.01);
  const fits = (/** @type {number} */ length) => whole(length) >= 3 || (whole(length) > 0 && seconds / length - whole(length) <= 0.01);
  const [unit, length] = SPANS.find(([, length]) => fits(length)) ?? SPANS[3];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(whole(length));
}

/**
 * A short time as clocks count it down: "1:05".
 * @param {number} seconds
 */
export function clock(seconds) {
  const two = (/** @type {number} */ n) => n.toLocaleString(language, { minimumIntegerDigits: 2 });
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${count(hours)}:${two(minutes)}:${two(seconds % 60)}` : `${count(minutes)}:${two(seconds % 60)}`;
}

/**
 * A moment, with as much of the date as is needed.
 * @param {number} unix seconds
 * @param {Date} [now]
 */
export function moment(unix, now = new Date()) {
  const date = new Date(unix * 1000);
  const time = date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  if (Math.abs(days) <= 1) return `${new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day")}, ${time}`;
  return `${date.toLocaleDateString(language, { day: "numeric", month: "long", year: "numeric" })}, ${time}`;
}

// Characters that reorder the text around them, so that "gpj.exe" can look like "exe.jpg", break its line or do not show at all.
// The joiners are spared, and the tags that spell some flags: scripts and emoji need them. (As in wasm/internal/seal.)
export const MISLEADING = /(?![\u200c\u200d\u{e0020}-\u{e007f}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A name from outside, safe to be shown: what would deceive is made visible. Show it within <bdi dir=ltr>, where the suffix
 * stays at the end.
 * @param {string} s
 */
export const name = (s) => s.replace(MISLEADING, "\ufffd");

// Of several lines, marks of direction do no harm, and those who write from right to left use them.
const OVERRIDE = /[\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of several lines from outside, safe to be shown.
 * @param {string} s
 */
export const prose = (s) => s.replace(OVERRIDE, "\ufffd").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, "");

// What Windows takes for a device, whatever the suffix.
const DEVICE = /^(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)/i;

/**
 * A name under which a file may be saved: the last part of the path, without what file systems and dialogs stumble over, and
 * neither hidden nor a device.
 * @param {string} path
 */
export function saveName(path) {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const safe = last.replace(MISLEADING, "").replace(/[\\/:*?"<>|]/g, "_").replace(/^ +|[. ]+$/g, "");
  return safe === "" ? "file" : /^\./.test(safe) || DEVICE.test(safe) ? `_${safe}` : safe;
}
