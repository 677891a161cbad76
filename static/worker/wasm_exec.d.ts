// What bin/wasm_exec.js (from the Go distribution) hangs on globalThis.
export {};

declare global {
  class Go {
    importObject: WebAssembly.Imports;
    exited: boolean; // whether the program has ended
    run(instance: WebAssembly.Instance): Promise<void>;
  }
}
