// @ts-check
// Numbers, times and names as people read them.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../js/format.js";

test("sizes have no unit a thousand times", () => {
  for (const [bytes, want] of /** @type {[number, string][]} */ ([
    [0, "0 bytes"], [1, "1 byte"], [999, "999 bytes"], [1000, "1.00 kB"], [999_499, "999 kB"], [999_500, "1.00 MB"], [999_999_999, "1.00 GB"],
    [1_536_000_000, "1.54 GB"], [999_999e12, "1,000 PB"],
  ])) assert.equal(format.size(bytes).replace("\u00a0", " "), want, String(bytes));
});

test("a span is told exactly or too short, never too long", () => {
  const minute = 60, hour = 3600, day = 86400;
  for (const [seconds, want] of /** @type {[number, string][]} */ ([
    [1, "1 second"], [61, "61 seconds"], [150, "150 seconds"], [5 * minute, "5 minutes"], [90 * minute, "90 minutes"], [hour, "1 hour"],
    [36 * hour, "36 hours"], [day, "1 day"], [day - 5 * minute, "1 day"], [day - hour, "23 hours"], [47 * hour, "47 hours"],
    [7 * day - 3 * hour, "6 days"], [30 * day, "30 days"],
  ])) assert.equal(format.span(seconds), want, String(seconds));
  for (let seconds = 1; seconds < 40 * day; seconds += 1 + Math.floor(seconds / 50)) {
    const [n, unit] = format.span(seconds).split(" ");
    const told = Number(n) * /** @type {Record<string, number>} */ ({ second: 1, minute, hour, day })[unit.replace(/s$/, "")];
    assert.ok(told <= seconds * 1.011 && told > seconds * 0.74, `${seconds} seconds are told as ${n} ${unit}`);
  }
});

test("a name shows all that it has", () => {
  const name = (/** @type {string} */ s) => format.name(s);
  assert.equal(name("invoice\u202efdp.exe"), "invoice\ufffdfdp.exe");
  assert.equal(name("invoice.pdf\u2028\u2029\u0085.exe"), "invoice.pdf\ufffd\ufffd\ufffd.exe");
  assert.equal(name("in\u200bvoice\ufeff\u00ad.pdf"), "in\ufffdvoice\ufffd\ufffd.pdf");
  for (const good of ["👩\u200d👩\u200d👧.png", "می\u200cخواهم.txt", "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}", "שלום.txt", "Grüße"]) {
    assert.equal(name(good), good);
  }
  assert.equal(format.prose("a\u202eb\u0007\n\tשלום\u200f!"), "a\ufffdb\n\tשלום\u200f!");
});

test("a file is saved under a harmless name", () => {
  for (const [path, want] of [
    ["a/b/c.txt", "c.txt"], [".bashrc", "_.bashrc"], ["...", "file"], ["a/ .x", "_.x"], ["trail. .", "trail"], ["a:b?.txt", "a_b_.txt"],
    ["con", "_con"], ["Aux .txt", "_Aux .txt"], ["com\u00b9", "_com\u00b9"], ["contact.txt", "contact.txt"], ["\u202egpj.exe", "gpj.exe"],
    ["in\u200bvoice\u2028.pdf", "invoice.pdf"], ["👩\u200d👧.png", "👩\u200d👧.png"],
  ]) assert.equal(format.saveName(path), want, path);
});
