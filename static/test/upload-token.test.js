// @ts-check
// The upload token of a page, where the browser keeps nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as tokens from "../js/upload-token.js";

const token = "A".repeat(42) + "E";

test("a token is read however it was pasted, and nothing else is", () => {
  for (const text of [token, ` ${token}\n`, `${token.slice(0, 20)}\r\n${token.slice(20)}`]) assert.equal(tokens.read(text), token);
  for (const text of ["", "token", token + "A", token.slice(1), token.replace("A", "="), token.replace("A", "ä")]) assert.equal(tokens.read(text), "", text);
});

test("where nothing can be kept, the page keeps it", async () => {
  assert.equal(await tokens.find(), "");
  for (const lasting of [true, false]) {
    await tokens.keep(token, lasting);
    assert.equal(await tokens.find(), token);
    await tokens.forget();
    assert.equal(await tokens.find(), "");
  }
});
