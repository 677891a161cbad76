// @ts-check
// What is known of the frames of a share, in order from the first: the SHA-256 of each plain frame and the size to which it
// was compressed. A share may have millions of frames, so they lie side by side in two arrays.

export const DIGEST = 32; // bytes
const RECORD = DIGEST + 4;

export class Frames {
  #digests = new Uint8Array(64 * DIGEST);
  #sizes = new Uint32Array(64);
  count = 0;

  /**
   * Adds the frame that comes next.
   * @param {Uint8Array} digest
   * @param {number} size
   */
  add(digest, size) {
    if (digest.length !== DIGEST) throw new Error("BUG: a digest has 32 bytes");
    if (this.count === this.#sizes.length) this.#grow();
    this.#digests.set(digest, this.count * DIGEST);
    this.#sizes[this.count++] = size;
  }

  /** @param {number} i */
  size(i) {
    this.#check(i);
    return this.#sizes[i];
  }

  /**
   * Whether frame i has this digest.
   * @param {number} i
   * @param {Uint8Array} digest
   */
  matches(i, digest) {
    this.#check(i);
    return same(digest, this.#digests.subarray(i * DIGEST, (i + 1) * DIGEST));
  }

  /**
   * The frames from one up to another, as bytes.
   * @param {number} from
   * @param {number} to
   */
  pack(from, to) {
    const bytes = new Uint8Array((to - from) * RECORD);
    const view = new DataView(bytes.buffer);
    for (let i = from, at = 0; i < to; i++, at += RECORD) {
      bytes.set(this.#digests.subarray(i * DIGEST, (i + 1) * DIGEST), at);
      view.setUint32(at + DIGEST, this.#sizes[i]);
    }
    return bytes;
  }

  /**
   * Adds the frames that pack made bytes of.
   * @param {Uint8Array} bytes
   */
  unpack(bytes) {
    if (bytes.length % RECORD) throw new Error("these are no whole frames");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += RECORD) this.add(bytes.subarray(at, at + DIGEST), view.getUint32(at + DIGEST));
  }

  #grow() {
    const [digests, sizes] = [this.#digests, this.#sizes];
    this.#digests = new Uint8Array(2 * digests.length);
    this.#sizes = new Uint32Array(2 * sizes.length);
    this.#digests.set(digests);
    this.#sizes.set(sizes);
  }

  /** @param {number} i */
  #check(i) {
    if (!(i >= 0 && i < this.count)) throw new Error(`BUG: frame ${i} of ${this.count}`);
  }
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export const same = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);
