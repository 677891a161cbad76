// @ts-check
// Numbers, times and names as people read them.

/** That of the page. Tests run without one. */
export const language = globalThis.document?.documentElement.lang || "en";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"];

/** @param {number} bytes */
export function size(bytes) {
  const unit = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
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
 * A time span in its largest fitting unit: "1 day", "5 minutes".
 * @param {number} seconds
 */
export function span(seconds) {
  const [unit, length] = SPANS.find(([, length]) => seconds > 0.99 * length) ?? SPANS[3];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.round(seconds / length));
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

// Characters that reorder the text around them, so that "gpj.exe" can look like "exe.jpg".
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/gu;

/**
 * A name from outside, safe to be shown: what would deceive is made visible. Show it within <bdi dir=ltr>, where the suffix
 * stays at the end.
 * @param {string} s
 */
export const name = (s) => s.replace(BIDI, "\ufffd").replace(CONTROL, "\ufffd");

/**
 * Text of several lines from outside, safe to be shown.
 * @param {string} s
 */
export const prose = (s) => s.replace(BIDI, "\ufffd").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, "");

/**
 * A name under which a file may be saved: the last part of the path, without what file systems and dialogs stumble over.
 * @param {string} path
 */
export function saveName(path) {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const safe = last.replace(BIDI, "").replace(CONTROL, "").replace(/[\\/:*?"<>|]/g, "_").replace(/^\.+|[. ]+$/g, "");
  return safe || "file";
}
