// @ts-check
// What is shown without being saved, and as what.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dimensions } from "../js/dimensions.js";
import { objection } from "../js/drawing.js";
import { kindOf, typeOf } from "../js/kinds.js";
import { cut, decode, visible } from "../js/plain.js";

const bytes = (...parts) => Uint8Array.from(parts.flatMap((p) => (typeof p === "string" ? [...p].map((c) => c.charCodeAt(0)) : p)));
const entry = (name, type = "") => ({ name, type, directory: name.endsWith("/") });

test("a name decides what a thing is offered as, and what its sender calls it makes it text at most", () => {
  for (const [name, kind] of Object.entries({
    "a/b.PNG": "image", "x.svg": "drawing", "x.mp3": "audio", "x.mp4": "video", "x.pdf": "pdf", "x.html": "text", "a/README": "text", ".gitignore": "text",
    "x.zip": null, "x.exe": null, "x": null, "png": null, "x.png/": null, "x.png.exe": null,
  })) assert.equal(kindOf(entry(name)), kind, name);
  assert.equal(kindOf(entry("x", "image/png")), null);
  assert.equal(kindOf(entry("x.zip", "text/html")), "text");
});

test("the first bytes decide what it is, and nothing else is sent", () => {
  const png = bytes("\x89PNG\r\n\x1a\n"), html = bytes("<!doctype html>"), gif = bytes("GIF89a=1;/*");
  assert.equal(typeOf("image", png), "image/png");
  assert.equal(typeOf("image", html), null);
  assert.equal(typeOf("image", bytes("<svg")), null);
  assert.equal(typeOf("image", gif), "image/gif");
  assert.equal(typeOf("pdf", bytes("%PDF-1.7")), "application/pdf");
  assert.equal(typeOf("pdf", bytes("<html>%PDF-1.7")), null);
  assert.equal(typeOf("video", png), null);
  assert.equal(typeOf("video", bytes([0, 0, 0, 24], "ftypisom")), "video/mp4");
  assert.equal(typeOf("video", bytes([0, 0, 0, 24], "ftypheic")), null);
  assert.equal(typeOf("audio", bytes([0, 0, 0, 24], "ftypM4A ")), "audio/mp4");
  assert.equal(typeOf("video", bytes([0x1a, 0x45, 0xdf, 0xa3])), "video/webm");
  assert.equal(typeOf("audio", bytes([0xff, 0xfb, 0x90, 0])), "audio/mpeg");
  assert.equal(typeOf("audio", bytes([0xff, 0xff, 0xff, 0xff])), null);
  assert.equal(typeOf("text", html), "text/plain");
  for (const kind of ["image", "audio", "video", "pdf"]) assert.equal(typeOf(kind, bytes()), null);
});

test("what a picture claims to measure is found, also in what is not the first of it", () => {
  const png = bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
  assert.deepEqual(dimensions("image/png", png), { width: 60000, height: 60000 });
  const gif = bytes("GIF89a", [1, 0, 1, 0, 0, 0, 0], [0x21, 0xfe, 2], "hi", [0], [0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 1, 0, 0, 0x3b]);
  assert.deepEqual(dimensions("image/gif", gif), { width: 65535, height: 65535 });
  const jpeg = bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc2, 0, 11, 8, 0x10, 0, 0x20, 0, 1, 1, 0x11, 0, 0xff, 0xda]);
  assert.deepEqual(dimensions("image/jpeg", jpeg), { width: 0x2000, height: 0x1000 });
  const webp = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0xff, 0xff, 0]);
  assert.deepEqual(dimensions("image/webp", webp), { width: 65536, height: 65536 });
  for (const type of ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/svg+xml", "constructor"]) {
    assert.equal(dimensions(type, bytes("\xff\xd8\xff")), null, type);
  }
});

const svg = (inside, head = "") => `${head}<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`;

test("a drawing is refused that is none, or would grow without end", () => {
  assert.equal(objection("<html><svg></svg></html>"), "other");
  assert.equal(objection(""), "other");
  assert.equal(objection(svg("<path d='M0 0'/>", "\ufeff<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\">\n")), "");
  assert.equal(objection(svg('<script>alert(1)</script><image href="http://127.0.0.1/x"/>')), ""); // browsers see to those
  assert.equal(objection(svg("&a;", '<!DOCTYPE svg [<!ENTITY a "b">]>')), "complex");
  assert.equal(objection(svg("<g>".repeat(5000))), "complex");
  assert.equal(objection(svg("<g id='a'><use href='#a'/></g>")), "");
  const bomb = (use) => svg('<path id="l0"/>' + Array.from({ length: 9 }, (_, i) => `<g id="l${i + 1}">${use(i).repeat(10)}</g>`).join(""));
  for (const use of [
    (i) => `<use href="#l${i}"/>`, (i) => `<use xlink:href='#l${i}' />`, (i) => `<use href="&#35;l${i}"/>`, (i) => `<use href="&#x23;&#x6c;${i}"/>`,
    (i) => `<path fill="url(#l${i})"/>`, (i) => `<path style="mask:url('#l${i}')"/>`, (i) => `<path style="mask:url(\\23 l${i})"/>`,
    (i) => `<use><set attributeName="href" to="#l${i}"/></use>`, (i) => `<use title="a > b" href="#l${i}"/>`,
  ]) assert.equal(objection(bomb(use)), "complex", use(0));
  const styled = svg(`<style>path{filter:url(#f)}</style><filter id="f">${"<feGaussianBlur/>".repeat(10)}</filter>${"<path/>".repeat(1000)}`);
  assert.equal(objection(styled), "complex");
});

test("text is read as what it is, and what would deceive is seen", () => {
  assert.equal(decode(bytes([0xef, 0xbb, 0xbf], "a"), true), "a");
  assert.equal(decode(bytes([0xff, 0xfe, 0x61, 0]), true), "a");
  assert.equal(decode(bytes([0xe9]), true), "é");
  assert.equal(decode(bytes("a", [0xc3]), false), "a");
  assert.equal(decode(bytes("a", [0]), true), null);
  assert.equal(visible("a\u202eb\u0007\tc\r\nd\u2066\u200b"), "a⟨U+202E⟩b⟨U+0007⟩\tc\r\nd⟨U+2066⟩⟨U+200B⟩");
  for (const text of ["", "a\nb", "x".repeat(50_000), "line\n".repeat(5000), "😀".repeat(9001)]) {
    const blocks = cut(text);
    assert.equal(blocks.join(""), text);
    assert.ok(blocks.every((b) => b.length <= 8193 && b.isWellFormed()));
  }
});
