// @ts-check
// What is chosen twice is renamed, and never merged, lost, or given a name that the format refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Parcel, nameAllowed } from "../js/parcel.js";

/** @param {string[]} names */
function parcelOf(...names) {
  const parcel = new Parcel();
  for (const name of names) parcel.add([{ name, file: new File(["x"], "x") }]);
  return parcel;
}

/** @param {Parcel} parcel */
const names = (parcel) => parcel.items.map(({ name }) => name);

test("the second of a name is renamed before its suffix", () => {
  assert.deepEqual(names(parcelOf("a.txt", "a.txt", "a.txt", ".rc", ".rc", "d/a", "d/a", "d")),
    ["a.txt", "a (2).txt", "a (3).txt", ".rc", ".rc (2)", "d/a", "d (2)/a", "d (3)"]);
});

test("names that are as long as may be stay allowed when they are renamed", () => {
  for (const name of ["x".repeat(255), `${"é".repeat(125)}.text`, `${"📮".repeat(62)}.tar.gz`, `a.${"y".repeat(253)}`, `${"z".repeat(255)}/inside`]) {
    assert.ok(nameAllowed(name), name);
    const [first, second, third] = names(parcelOf(name, name, name));
    assert.equal(first, name);
    assert.equal(new Set([first, second, third]).size, 3);
    for (const renamed of [second, third]) assert.ok(nameAllowed(renamed) && renamed.isWellFormed(), renamed);
  }
});

test("names are what the format takes", () => {
  for (const bad of ["", ".", "..", "a/../b", "a//b", "/a", "a\\b", "a\0b", "x".repeat(256), `${"é".repeat(128)}`, `${"a/".repeat(2048)}b`]) {
    assert.ok(!nameAllowed(bad), bad);
  }
  for (const good of ["a", "...", "a/b", "empty/", "<b>.txt", `${"a/".repeat(2047)}b`]) assert.ok(nameAllowed(good), good);
});
