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

/** A piece of a part. What a broken connection has brought of it stays, and is not asked for again. */
export class Piece {
  #from;
  /** So many bytes are there, from the first on. */
  filled = 0;
  /** So many bytes have come, wanted or not. */
  came = 0;

  /**
   * @param {number} from where in the part it begins
   * @param {Uint8Array<ArrayBuffer>} bytes where it goes, as large as it is
   */
  constructor(from, bytes) {
    this.#from = from;
    this.bytes = bytes;
  }

  /** The header that asks for what is missing. */
  get range() {
    return `bytes=${this.#from + this.filled}-${this.#from + this.bytes.length - 1}`;
  }

  /**
   * Reads an answer that brings what is missing.
   * @param {Response} response
   * @param {Moved} moved
   */
  async read(response, moved) {
    let skip = this.#from + this.filled - start(response);
    if (skip < 0) throw new TypeError("the answer has another range"); // like a broken connection
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      this.came += value.length;
      const wanted = value.subarray(skip, skip + this.bytes.length - this.filled);
      skip -= Math.min(skip, value.length);
      this.bytes.set(wanted, this.filled);
      this.filled += wanted.length;
      moved(this.filled);
      if (this.filled === this.bytes.length && wanted.length < value.length) await reader.cancel(); // of a proxy that knows no ranges
    }
    if (this.filled < this.bytes.length) throw new TypeError("the answer was cut");
    return this.bytes;
  }
}

/**
 * Where in the part an answer begins.
 * @param {Response} response
 */
function start(response) {
  const [, from = "0"] = /^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "") ?? [];
  return Number(from);
}
