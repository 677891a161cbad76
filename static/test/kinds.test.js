// @ts-check
// What is shown without being saved, and as what.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dimensions } from "../js/dimensions.js";
import { objection, undeclared } from "../js/drawing.js";
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
  const avif = (brands, ...more) => bytes([0, 0, 0, 8 + brands.length], "ftyp", brands, ...more);
  const ispe = (width, height) => bytes([0, 0, 0, 20], "ispe", [0, 0, 0, 0], [0, 0, width >> 8, width & 255, 0, 0, height >> 8, height & 255]);
  const far = new Uint8Array((2 << 20) + 20);
  far.set(avif("avif\0\0\0\0mif1", [...ispe(64, 48)]));
  assert.deepEqual(dimensions("image/avif", far), { width: 64, height: 48 });
  far.set(ispe(50000, 40000), 2 << 20);
  assert.deepEqual(dimensions("image/avif", far), { width: 50000, height: 40000 });
  assert.equal(dimensions("image/avif", avif("avis\0\0\0\0mif1", [...ispe(64, 48)])), null);
  assert.equal(dimensions("image/avif", avif("avif\0\0\0\0mif1avis", [...ispe(64, 48)])), null);
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
  for (const use of [
    (i) => `<use href="#%6c${i}"/>`, (i) => `<use href="#l&#9;${i}"/>`, (i) => `<path style="mask:url(#\\l${i})"/>`, (i) => `<é:use href="#l${i}"/>`,
  ]) assert.equal(objection(bomb(use)), "complex", use(0));
  for (const id of ["l (1)", "l", "a 1;", " l", "l\\3"]) {
    const odd = bomb((i) => `<use href="#${id}${i}"/>`).replaceAll('id="l', `id="${id}`);
    assert.equal(objection(odd), "complex", id);
    assert.equal(objection(odd.replace("<path", `<a id="${id.split(" ")[0]}"/><path`)), "complex", id);
    assert.equal(objection(odd.replaceAll("<g ", `<g title=" id='x' " `)), "complex", id); // which is no id
  }
  assert.equal(objection(bomb((i) => `<use href="#l${i}"/>`).replace("<svg", `<!DOCTYPE svg SYSTEM "<a b='"><svg`) + "<!-- '> -->"), "complex");
  assert.equal(objection(bomb((i) => `<use href="#l${i}"/>`).replace("<svg", `<!DOCTYPE svg [<!NOTATION n SYSTEM "<a b='">]><svg`) + "<!-- '> -->"), "complex");
  assert.equal(objection(svg("<use/>", '<!DOCTYPE svg [<!ATTLIST use href CDATA "#a">]>')), "complex");
  const styled = svg(`<style>path{filter:url(#f)}</style><filter id="f">${"<feGaussianBlur/>".repeat(10)}</filter>${"<path/>".repeat(1000)}`);
  assert.equal(objection(styled), "complex");
  assert.equal(objection(styled.replace("<style>", "<x:style><![CDATA[ </ ]]>").replace("</style>", "</x:style>")), "complex");
});

test("a drawing is refused in no time that would take for ever to be read", () => {
  const n = 1 << 18;
  for (const [what, text] of Object.entries({
    comments: svg("<!--".repeat(n)), instructions: svg("<?".repeat(n)), cdata: svg("<![CDATA[".repeat(n / 4)),
    before: "<!--".repeat(n) + svg(""), doctypes: "<!DOCTYPE ".repeat(n / 4) + svg(""), blanks: "<!DOCTYPE" + " ".repeat(2 * n) + "[" + svg(""), subsets: "<!DOCTYPE [".repeat(n / 4) + svg(""),
    "cut comments": svg("<!--".repeat(n / 2) + "-->" + "<!--".repeat(n / 2)),
  })) {
    const begun = performance.now();
    assert.ok(["other", "complex"].includes(objection(text)), what);
    assert.ok(performance.now() - begun < 5000, `${what}: ${performance.now() - begun} ms`);
  }
  for (const text of [ // some of which is fine
    svg("<" + "a".repeat(2 * n)), svg("<a " + "b".repeat(2 * n)), svg(`<a"`.repeat(n)), svg(`<a '"`.repeat(n / 2)), svg(`<a id${" ".repeat(2 * n)}>`), svg(`<a b="${" id='".repeat(n / 2)}">`),
    svg(`<a b="${"&#1".repeat(n)}">`), svg(`<a b="${"data:".repeat(n / 2)}">`), svg(`<a b="${"#%".repeat(n)}">`), svg(" ".repeat(2 * n)), svg(Array.from({ length: n / 16 }, (_, i) => `<a id="b ${i}" c="#b"/>`).join("")), "<?xml" + " ".repeat(2 * n) + svg(""),
    "<svg>" + "<style".repeat(n / 2), "<svg>" + "<style/>".repeat(n / 4), "<!-->".repeat(n / 2 + 1) + svg(""), "<?>".repeat(n + 1) + svg(""),
  ]) {
    const begun = performance.now();
    objection(text);
    undeclared(text);
    assert.ok(performance.now() - begun < 5000, `${text.slice(0, 60)}: ${performance.now() - begun} ms`);
  }
});

test("of what is within a drawing nothing is shown but small pictures", () => {
  const png = (width, height) => {
    const head = bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, width >> 8, width & 255, 0, 0, height >> 8, height & 255], [8, 6, 0, 0, 0]);
    return btoa(String.fromCharCode(...head));
  };
  const image = (href) => `<image href="${href}"/>`;
  const small = `data:image/png;base64,${png(600, 400)}`, large = `data:image/png;base64,${png(6000, 6000)}`;
  assert.equal(objection(svg(image(small))), "");
  assert.equal(objection(svg(image(small.replace(/(?<=,.*).{8}/g, "$&\n  ")))), "");
  assert.equal(objection(svg(`<g style="mask:url(&quot;${small}&quot;)"/><g style='mask:url(${small})'/>`)), "");
  assert.equal(objection(svg(image(large))), "");
  assert.equal(objection(svg(image(large) + image(large))), "complex");
  assert.equal(objection(svg(`<style>a{mask:url(${large})}</style>` + image(large))), "complex");
  assert.equal(objection(svg("<style>a{}</style><text>Data: 1</text>")), ""); // which is no address
  for (const href of [
    "data:image/svg+xml;base64,PHN2Zy8+", "data:image/svg+xml,%3Csvg/%3E", "DATA:image/svg+xml,x", "d&#97;ta:image/svg+xml,x", "da&#10;ta:image/svg+xml,x", "data: image/svg+xml,x",
    "data:,x", "data:image/png;base64,PHN2Zy8+", "data:image/png;base64,", `${small}%41`, `${small};data:text/css,x`,
  ]) assert.equal(objection(svg(image(href))), "complex", href);
  assert.equal(objection(svg("<style>@import 'data:text/css,x'</style>")), "complex");
  assert.equal(objection(svg("<x:style>@import '\\64 ata:text/css,x'</x:style>")), "complex");
  assert.equal(objection(svg("", '<?xml-stylesheet href="data:text/css,x"?>')), "complex");
  assert.equal(objection(svg("", '<?xml-stylesheet href="style.css"?>')), "");
});

test("what is drawn at each point of a line is reckoned for each", () => {
  const marker = `<marker id="m">${"<path/>".repeat(100)}</marker>`, line = `M0 0${"h1".repeat(10_000)}`;
  assert.equal(objection(svg(`${marker}<path d="${line}"/>`)), "");
  assert.equal(objection(svg(`${marker}<path marker-end="url(#m)" d="M0 0h9"/>`)), "");
  assert.equal(objection(svg(`${marker}<path style="marker:url(#m)" d="${line}"/>`)), "complex");
  assert.equal(objection(svg(`${marker}<g marker-mid="url(#m)"><path d="${line}"/></g>`)), "complex");
  assert.equal(objection(svg(`${marker}<path id="l" d="${line}"/><use marker-mid="url(#m)" href="#l"/>`)), "complex");
  assert.equal(objection(svg(`${marker}<style>path{marker:url(#m)}</style><path d="${line}"/>`)), "complex");
});

test("a drawing is drawn as the text that was looked at", () => {
  assert.equal(undeclared('<?xml version="1.0" encoding="utf-7"?><svg/>'), "<svg/>");
  assert.equal(undeclared("\ufeff<?xml version='1.0'?>\n<svg/>"), "\n<svg/>");
  assert.equal(undeclared('<?xml-stylesheet href="a"?><svg/>'), '<?xml-stylesheet href="a"?><svg/>');
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
  assert.deepEqual(cut("a\n" + "x".repeat(9000)), ["a\n", "x".repeat(8192), "x".repeat(808)]);
  const begun = performance.now();
  assert.equal(cut("x".repeat(16 << 20)).length, 2048);
  assert.ok(performance.now() - begun < 5000, `${performance.now() - begun} ms`);
});
