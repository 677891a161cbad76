// @ts-check
// How far the bytes of one request or answer have come, for whoever wants to know before all of them have: a part takes many
// seconds on a slow line, and several travel at once.
//
// Requests need XMLHttpRequest for that; fetch tells nothing about a body that it sends. What it calls loaded has been handed to
// the network and may still lie in a buffer or get lost: good enough to tell the speed from, not to call it done.

// A line that has changed, or a computer that has slept, leaves connections that never say another word. Nobody else ends them, so
// a Watch does.

/** @typedef {(bytes: number) => void} Moved is told how many bytes of this try have moved so far */

const SILENCE = 30_000; // milliseconds. A server that answers at all does so within some.

/** Ends a request that has not been heard of for a while. */
export class Watch {
  #dead = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {AbortSignal} [signal] that ends the request as well */
  constructor(signal) {
    this.signal = signal ? AbortSignal.any([signal, this.#dead.signal]) : this.#dead.signal;
    this.heard();
  }

  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dead.abort(new TypeError("the connection says nothing")), SILENCE);
  }

  end() {
    clearTimeout(this.#timer);
  }
}

/**
 * Does what fetch does.
 * @param {string} url
 * @param {{method: string, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal}} request
 * @param {Moved} moved
 * @returns {Promise<Response>}
 */
export function send(url, { method, headers, body, signal }, moved) {
  const xhr = new XMLHttpRequest();
  const abort = () => xhr.abort();
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort);
    xhr.upload.onprogress = (e) => moved(e.loaded);
    const failed = () => reject(new TypeError("the request failed"));
    xhr.onload = () => (xhr.status ? resolve(response(xhr)) : failed()); // Firefox calls some broken connections loaded
    xhr.onerror = xhr.ontimeout = failed;
    xhr.onabort = () => reject(signal?.reason);
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(body);
  }).finally(() => signal?.removeEventListener("abort", abort));
}

/** @param {XMLHttpRequest} xhr */
function response(xhr) {
  const empty = xhr.status === 204 || xhr.status === 205; // a Response takes no text then
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().trim().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return new Response(empty ? null : xhr.responseText, { status: xhr.status, statusText: xhr.statusText, headers });
}

/**
 * Reads an answer that has to have size bytes.
 * @param {Response} response
 * @param {number} size
 * @param {Moved} moved
 */
export async function receive(response, size, moved) {
  const bytes = new Uint8Array(size);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  let n = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    n += value.length;
    if (n > size) {
      await reader.cancel();
      break;
    }
    bytes.set(value, n - value.length);
    moved(n);
  }
  if (n !== size) throw new TypeError("the answer has another size"); // like a broken connection
  return bytes;
}

/**
 * Reads an answer whose size is not known.
 * @param {Response} response
 * @param {Moved} moved
 */
export async function receiveAll(response, moved) {
  let n = 0;
  /** @type {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>} */
  const counted = new TransformStream({
    transform(chunk, controller) {
      moved((n += chunk.length));
      controller.enqueue(chunk);
    },
  });
  return new Uint8Array(await new Response(response.body?.pipeThrough(counted)).arrayBuffer());
}
