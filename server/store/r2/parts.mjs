// @ts-check
// What package r2 leaves to the runtime: moving bytes between a request, a bucket and a response.

/** @typedef {{name: string, size: number, sha256: string, magic: string}} Wanted what a body has to be */

/** A bucket as the Go driver sees it, for one request. */
export class Parts {
  #bucket;
  #defers;
  #stored;

  /** @type {Wanted | null} what Go has asked for and was put off */
  wanted = null;

  /**
   * @param {R2Bucket} bucket
   * @param {{defers?: boolean, stored?: {name: string, outcome: string}}} [how] defers: a body is stored between two calls of
   *   Go, of which the second is told the outcome
   */
  constructor(bucket, { defers = false, stored } = {}) {
    this.#bucket = bucket;
    this.#defers = defers;
    this.#stored = stored;
  }

  /**
   * Begins to put an object. Returns the outcome if that is known, null if Go has to come again, or else what takes the bytes.
   * @param {string} name @param {number} size @param {string} sha256 @param {string} magic
   */
  deposit(name, size, sha256, magic) {
    const wanted = { name, size, sha256, magic };
    if (this.#stored?.name === name) return this.#stored.outcome;
    if (this.#defers) {
      this.wanted = wanted;
      return null;
    }
    const put = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => this.store(wanted, magic ? new Blob([bytes]).stream() : bytes);
    return { put };
  }

  /**
   * Stores a body of known length. Returns what has become of it: "" when it is durable, else a word that Go knows, or a text.
   * @param {Wanted} wanted @param {ReadableStream<Uint8Array> | Uint8Array} body a request's, or all its bytes
   */
  async store({ name, size, sha256, magic }, body) {
    try {
      const checked = magic && body instanceof ReadableStream ? await beginning(body, size, new TextEncoder().encode(magic)) : body;
      await this.#bucket.put(name, checked, { sha256 });
      return "";
    } catch (error) {
      return outcome(error);
    }
  }

  /**
   * @param {string} name @param {number} offset @param {number} length
   * @returns {Promise<ReadableStream<Uint8Array> | null>}
   */
  async open(name, offset, length) {
    if (length === 0) return (await this.#bucket.head(name)) && new Blob([]).stream();
    const object = await this.#bucket.get(name, { range: { offset, length } });
    return object && object.body;
  }

  /**
   * Opens the first of some spans; the others follow as they come to be needed. Null if the first is missing; a later one
   * that is missing cuts the stream.
   * @param {[name: string, offset: number, length: number][]} spans
   */
  async send(spans) {
    const first = await this.open(...spans[0]);
    if (!first || spans.length === 1) return first;
    const whole = new FixedLengthStream(spans.reduce((sum, [, , length]) => sum + length, 0));
    this.#chain(first, spans.slice(1), whole.writable);
    return whole.readable;
  }

  /** @param {ReadableStream<Uint8Array>} first @param {[string, number, number][]} rest @param {WritableStream} to */
  async #chain(first, rest, to) {
    try {
      await first.pipeTo(to, { preventClose: true });
      for (const span of rest) {
        const next = await this.open(...span);
        if (!next) throw new Error("a part is missing");
        await next.pipeTo(to, { preventClose: true });
      }
      await to.close();
    } catch (error) {
      await to.abort(error).catch(() => {}); // the client has gone, or a part has
    }
  }

  /** @param {string[]} names at most 1000, which is what R2 deletes at once */
  async remove(names) {
    await this.#bucket.delete(names);
  }

  /** @param {string} prefix */
  async removeAll(prefix) {
    for (;;) {
      const page = await this.#bucket.list({ prefix, limit: 1000 });
      if (page.objects.length === 0) return;
      await this.remove(page.objects.map((object) => object.key));
      if (!page.truncated) return;
    }
  }

  /**
   * Leaves a text under a name where none is, unless it is empty, and returns the one that is there, or "".
   * @param {string} name @param {string} text
   */
  async mark(name, text) {
    const there = () => this.#bucket.get(name).then((object) => object?.text() ?? "");
    const before = await there();
    if (before || !text) return before;
    await this.#bucket.put(name, text, { onlyIf: new Headers({ "If-None-Match": "*" }) });
    return there();
  }

  /**
   * A page of what was put before a time. The cursor is "" on the last.
   * @param {string} from @param {string} cursor @param {number} before
   */
  async list(from, cursor, before) {
    const page = await this.#bucket.list({ limit: 1000, ...(from && { startAfter: from }), ...(cursor && { cursor }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < before);
    return { names: old.map((object) => object.key), cursor: page.truncated ? page.cursor : "" };
  }

  /**
   * Removes an object unless it has been put anew.
   * @param {string} name @param {number} before
   */
  async removeOld(name, before) {
    const object = await this.#bucket.head(name);
    if (!object || object.uploaded.getTime() >= before) return false;
    await this.#bucket.delete(name);
    return true;
  }
}

/** A body that is not what it was to be. */
class Refusal extends Error {}

/**
 * Returns the same body, of which the beginning has been looked at.
 * @param {ReadableStream<Uint8Array>} body @param {number} size @param {Uint8Array} magic
 */
async function beginning(body, size, magic) {
  const reader = body.getReader();
  let head = new Uint8Array(0);
  while (head.length < magic.length) {
    const { done, value } = await reader.read();
    if (done) break;
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  reader.releaseLock();
  if (head.length < Math.min(size, magic.length)) throw new Refusal("size");
  if (head.length < magic.length || magic.some((byte, i) => byte !== head[i])) throw new Refusal("magic");
  const whole = new FixedLengthStream(size);
  const forward = async () => {
    const writer = whole.writable.getWriter();
    try {
      await writer.write(head);
    } catch (error) {
      await writer.abort(error).catch(() => {});
      return;
    }
    writer.releaseLock();
    await body.pipeTo(whole.writable).catch(() => {}); // whoever reads the other end hears of it
  };
  forward();
  return whole.readable;
}

/** @param {unknown} error */
function outcome(error) {
  if (error instanceof Refusal) return error.message;
  const text = String(error);
  if (/\(10037\)/.test(text)) return "digest"; // R2: the checksum is another
  if (/expected bytes|too many bytes|more bytes|connection lost|disconnected/i.test(text)) return "size";
  return text;
}
