// @ts-check
// Runs a Go benchmark in several workers at once, and returns what each printed.

const start = (worker, message) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.value));
  worker.onerror = (e) => reject(new Error(e.message));
  worker.postMessage(message);
});

window.run = async (count, name, time) => {
  const program = await WebAssembly.compileStreaming(fetch("/seal.wasm"));
  const corpus = new Uint8Array(await (await fetch("/corpus")).arrayBuffer());
  const workers = Array.from({ length: count }, () => new Worker("/engine-worker.js", { type: "module" }));
  await Promise.all(workers.map((worker) => start(worker, { program, corpus })));
  const printed = await Promise.all(workers.map((worker) => start(worker, { name, time })));
  for (const worker of workers) worker.terminate();
  return printed;
};
document.documentElement.dataset.state = "ready";
