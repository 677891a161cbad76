// @ts-check
// A link in two pieces, and what a mail program or a person makes of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mailto, readPasted, split } from "../js/missing.js";

const key = "EAZ8abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-_01";
const link = `https://post.example/d/9fK2mQ7xLr0aVb3T#${key}`;

test("the pieces are the link", () => {
  assert.deepEqual(split(link), { place: "https://post.example/d/9fK2mQ7xLr0aVb3T", key: `#${key}` });
  assert.deepEqual(split(""), { place: "", key: "" });
});

test("the missing part is read however it comes", () => {
  const part = { place: "", id: "", fragment: key };
  for (const text of [`#${key}`, key, ` #${key}\n`, `“#${key}”`, `"#${key}".`, `<#${key}>`, `#${key.slice(0, 20)}\n${key.slice(20)}`]) {
    assert.deepEqual(readPasted(text), part, text);
  }
});

test("a whole link is read, within a sentence too", () => {
  const whole = { place: "https://post.example", id: "9fK2mQ7xLr0aVb3T", fragment: key };
  for (const text of [link, ` ${link} `, `<${link}>`, `It is here: ${link}.`, `It is here:\n${link}\nGreetings`, link.replace("#", "\n#"), link.replace("https://post", "HTTPS://Post").replace("HTTPS", "https")]) {
    assert.deepEqual(readPasted(text), whole, text);
  }
  assert.equal(readPasted(`http://127.0.0.1:8080/d/x#${key}`)?.place, "http://127.0.0.1:8080");
});

test("a site may be below a path of its host", () => {
  for (const base of ["", "/send", "/a/b.c/d"]) {
    assert.deepEqual(readPasted(`See ${link.replace("/d/", `${base}/d/`)}.`), { place: `https://post.example${base}`, id: "9fK2mQ7xLr0aVb3T", fragment: key });
  }
  assert.equal(readPasted(link.replace("/d/", "/../d/")), null);
});

test("anything else is neither", () => {
  for (const text of ["", "#", "the words", key.slice(1), `${key}x`, `${link}x`, link.split("#")[0], `#${key.slice(1)}=`, `#${key.slice(1)}ü`,
    `javascript:alert(1)//d/x#${key}`, `https://post.example/d/../x#${key}`]) assert.equal(readPasted(text), null, text);
});

test("a letter is what was written, and to nobody", () => {
  const url = new URL(mailto("A & B?", "Line one\n\nhttps://post.example/d/x?a=1#b\n100 %"));
  assert.equal(url.protocol, "mailto:");
  assert.equal(url.pathname, "");
  assert.equal(url.hash, "");
  assert.deepEqual([...url.searchParams], [["subject", "A & B?"], ["body", "Line one\r\n\r\nhttps://post.example/d/x?a=1#b\r\n100 %"]]);
});
