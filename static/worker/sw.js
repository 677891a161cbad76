// @ts-check
// The service worker turns what the download worker opens into an ordinary browser download: /save/{id} is answered with
// the bytes that come through a MessagePort; and into something that plays: /media/{id} is answered with ranges of it. It answers
// /sw/ping as well and touches no other request, and it keeps nothing.
// A new build's service worker waits until a page tells it to take over (js/service-worker.js).

const CREDIT = 4; // buffers in flight: bounds memory
const sw = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** As in js/base.js, which a service worker that is one file cannot import; with a slash at the end. */
const SITE = new URL("../../../", sw.location.href).href;

/** @typedef {import("../js/types.d.ts").SaveJob & {port: MessagePort, answered: boolean, fail: () => void}} Job */
/** @type {Map<string, Job>} */
const jobs = new Map();

// Answers made here need the isolation headers that the server sends, under Cross-Origin-Embedder-Policy.
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "sandbox; default-src 'none'",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

sw.addEventListener("activate", (e) => e.waitUntil(sw.clients.claim()));

sw.addEventListener("message", (e) => {
  if (e.data?.type === "take-over") {
    e.waitUntil(sw.skipWaiting().then(() => sw.clients.claim()).catch(() => {})); // it cannot claim before it is active
  } else if (e.data?.type === "save") {
    const [reply, port] = e.ports;
    const job = { ...e.data, port, answered: false, fail() {} };
    jobs.set(job.id, job);
    reply.postMessage("known");
    endWithPage(job);
  }
});

/**
 * Gives up a save when its page has let go of the lock, because it is done or because it is no more.
 * @param {Job} job
 */
async function endWithPage(job) {
  await sw.navigator.locks.request(job.lock, () => {});
  if (jobs.delete(job.id)) job.fail();
}

sw.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (!url.href.startsWith(SITE)) return;
  const [what, id] = url.pathname.slice(new URL(SITE).pathname.length).split("/");
  if (what === "sw" && id === "ping") {
    const known = jobs.has(url.searchParams.get("id") ?? "");
    e.respondWith(new Response(known ? "yes" : "no", { headers: HEADERS }));
  } else if (what === "save" && id) {
    e.respondWith(save(id));
  } else if (what === "media" && id) {
    e.respondWith(media(e, id));
  }
});

/** @param {string} id */
function save(id) {
  const job = jobs.get(id);
  if (!job || job.answered) return new Response("gone", { status: 410, headers: HEADERS }); // two would share the bytes
  job.answered = true;
  return new Response(stream(job), {
    headers: {
      ...HEADERS,
      "Content-Disposition": disposition(job.name),
      "Content-Length": String(job.size),
      "Content-Type": "application/octet-stream", // never the sender's
    },
  });
}

/** @param {Job} job */
function stream(job) {
  const { id, port } = job;
  /** @type {import("../js/types.d.ts").SinkMessage[]} */
  const queue = [];
  let wake = () => {};
  const hear = (/** @type {import("../js/types.d.ts").SinkMessage} */ m) => {
    queue.push(m);
    wake();
  };
  port.onmessage = ({ data }) => hear(data);
  job.fail = () => hear({ type: "error" });
  port.postMessage({ type: "credit", n: CREDIT });
  return new ReadableStream({
    async pull(controller) {
      while (!queue.length) await new Promise((resolve) => (wake = () => resolve(undefined)));
      const m = queue.shift();
      if (m?.type === "data") {
        collect(m.buffer.byteLength);
        controller.enqueue(new Uint8Array(m.buffer));
        port.postMessage({ type: "credit", n: 1, taken: true });
        return;
      }
      jobs.delete(id);
      if (m?.type === "end") {
        controller.close();
        port.postMessage({ type: "complete" });
      } else {
        controller.error(new Error("the download is not whole"));
      }
    },
    cancel() { // the person stopped the download
      jobs.delete(id);
      port.postMessage({ type: "cancelled" });
    },
  }, { highWaterMark: 0 }); // so that what is told as taken has been asked for
}

// Nothing of a player is remembered: the browser may stop the service worker between two of its requests, and start it again. So each
// time the page is asked for the bytes (js/media.js), and its download worker answers through a port (worker/viewing.js).

const MEDIA = /^(audio|video)\/(aac|flac|mp4|mpeg|ogg|wav|webm)$/; // whatever a page says, nothing else is sent from here
const ANSWER_WAIT = 10_000; // milliseconds

/**
 * Answers a player's request for a range. One without an end gets all of the rest, for WebKit seeks in nothing less: it comes as fast as it
 * is taken, until that is enough.
 * @param {FetchEvent} e
 * @param {string} id
 */
async function media({ request, clientId }, id) {
  const found = request.mode === "navigate" ? null : await ask(clientId, id);
  if (!found) return new Response("gone", { status: 410, headers: HEADERS });
  const { port, size, mime } = found;
  const range = rangeOf(request.headers.get("Range"), size);
  const headers = { ...HEADERS, "Accept-Ranges": "bytes", "Content-Type": mime };
  if (range && range.from >= range.to) {
    port.postMessage({ type: "cancel" });
    return new Response(null, { status: 416, headers: { ...headers, "Content-Range": `bytes */${size}` } });
  }
  const { from, to } = range ?? { from: 0, to: size };
  port.postMessage({ type: "open", from, to });
  return new Response(pieces(port, request.signal), {
    status: range ? 206 : 200,
    headers: { ...headers, "Content-Length": String(to - from), ...(range && { "Content-Range": `bytes ${from}-${to - 1}/${size}` }) },
  });
}

/**
 * Asks the page that wants to play something, or all there are, for what it is. Resolves to null if none knows it.
 * @param {string} clientId
 * @param {string} id
 * @returns {Promise<{port: MessagePort, size: number, mime: string} | null>}
 */
async function ask(clientId, id) {
  const client = clientId ? await sw.clients.get(clientId) : null;
  const clients = client ? [client] : await sw.clients.matchAll({ type: "window" });
  return new Promise((resolve) => {
    setTimeout(resolve, clients.length ? ANSWER_WAIT : 0, null);
    for (const one of clients) {
      const { port1: port, port2 } = new MessageChannel();
      port.onmessage = ({ data: { type, size, mime } }) => resolve(type === "head" && MEDIA.test(mime) ? { port, size, mime } : null);
      one.postMessage({ type: "media", id }, [port2]);
    }
  });
}

/**
 * The range [from, to) that is asked for, or null if it is all of it.
 * @param {string | null} header
 * @param {number} size
 */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (!first && !last) return null;
  if (!first) return { from: Math.max(0, size - Number(last)), to: size };
  return { from: Number(first), to: last ? Math.min(size, Number(last) + 1) : size };
}

/**
 * What comes through a port, one piece each time that the browser wants one.
 * @param {MessagePort} port
 * @param {AbortSignal} signal
 */
function pieces(port, signal) {
  const cancel = () => {
    port.postMessage({ type: "cancel" });
    port.close();
  };
  signal.addEventListener("abort", cancel);
  let taken = () => {};
  return new ReadableStream({
    start(controller) {
      port.onmessage = ({ data }) => {
        if (data.type === "data") {
          collect(data.buffer.byteLength);
          controller.enqueue(new Uint8Array(data.buffer));
        } else if (data.type === "end") controller.close();
        else controller.error(new Error("it is not there"));
        taken();
      };
    },
    pull: () => new Promise((resolve) => {
      taken = () => resolve(undefined);
      port.postMessage({ type: "pull" });
    }),
    cancel,
  }, { highWaterMark: 0 });
}

let passed = 0;

/**
 * As in js/garbage.js, which a service worker that is one file cannot import.
 * @param {number} size
 */
function collect(size) {
  if (!("userAgentData" in navigator) || (passed += size) < 32 << 20) return;
  passed = 0;
  try {
    void new ArrayBuffer(256 << 20);
  } catch {}
}

/**
 * The header that gives the download its name (RFC 6266): in ASCII for old readers, in UTF-8 for the rest.
 * @param {string} name
 */
function disposition(name) {
  const ascii = name.replace(/[^ -~]|["\\%]/gu, "_");
  const utf8 = encodeURIComponent(name).replace(/['()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  return `attachment; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
