// @ts-check
// Keeps the service worker alive while it streams a download, from a worker of its own because timers of hidden pages are
// slowed. Firefox stops a service worker after 30 idle seconds, a streaming answer or not, and then shows a truncated file
// as finished; a fetch that it answers is activity, and the answer tells whether it still knows the download.

const EVERY = 10_000; // milliseconds
const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.onmessage = (/** @type {MessageEvent<string>} */ { data: id }) => {
  setInterval(async () => {
    const answer = await fetch(`/sw/ping?id=${id}`, { cache: "no-store" }).then((r) => r.text(), () => "");
    if (answer === "no") worker.postMessage("unknown");
  }, EVERY);
};

export {};
