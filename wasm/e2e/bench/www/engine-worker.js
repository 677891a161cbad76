// @ts-check
// Runs a Go test program: the first message brings it and the one file that it may read, the second says which benchmark.

import "/wasm_exec.js";

const CORPUS = 9; // file descriptor
let printed = "";
let program, corpus, at;

const status = () => ({
  dev: 0, ino: 0, mode: 0o100444, nlink: 1, uid: 0, gid: 0, rdev: 0, size: corpus.length, blksize: 4096, blocks: 0,
  atimeMs: 0, mtimeMs: 0, ctimeMs: 0, isDirectory: () => false,
});
const missing = () => Object.assign(new Error("not found"), { code: "ENOENT" });

Object.assign(globalThis.fs, {
  open: (path, flags, mode, callback) => (path === "/corpus" ? (at = 0, callback(null, CORPUS)) : callback(missing())),
  fstat: (fd, callback) => callback(null, status()),
  close: (fd, callback) => callback(null),
  read(fd, buffer, offset, length, position, callback) {
    const piece = corpus.subarray(at, at + length);
    buffer.set(piece, offset);
    at += piece.length;
    callback(null, piece.length);
  },
  writeSync(fd, bytes) {
    printed += new TextDecoder().decode(bytes);
    return bytes.length;
  },
});

onmessage = ({ data }) => {
  answer(data).then((value) => postMessage({ value }), (e) => postMessage({ error: String(e) + printed }));
};

async function answer(data) {
  if (data.program) {
    ({ program, corpus } = data);
    return;
  }
  const go = new Go();
  go.argv = ["seal.test", "-test.run=^$", `-test.bench=${data.name}`, `-test.benchtime=${data.time}`];
  go.env = { SEALPOST_CORPUS: "/corpus", TMPDIR: "/" };
  await go.run(await WebAssembly.instantiate(program, go.importObject));
  return printed;
}
