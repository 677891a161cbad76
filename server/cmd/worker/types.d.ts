// What the modules find in place, besides the runtime's own.

/** A Go program to be run, as wasm_exec.js has it with the library's change. */
declare class Go {
  argv: string[];
  importObject: WebAssembly.Imports;
  exit: (code: number) => void;
  run(instance: WebAssembly.Instance, context: object): Promise<void>;
}

/** Go's files, of which standard output is one. */
declare var fs: { writeSync(file: number, bytes: Uint8Array): number };

/** What the library calls from Go. */
declare var tryCatch: (fn: () => unknown) => { result?: unknown; error?: unknown };

/** Node's, for testdata/serve.mjs. */
declare var process: { argv: string[] };

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
