// @ts-check
// A crew of workers, each with an engine of its own, which share the work of one transfer (work.js). Whoever gives out jobs
// keeps what comes back in order, and gives out no more at once than memory should hold (pipeline.js).

import { free } from "../js/garbage.js";
import { hold } from "../js/lock.js";
import { Remote } from "../js/remote.js";
import { cipherKey } from "./cipher.js";
import { Work } from "./work.js";

/** @import { Key } from "./cipher.js" */
/** @import { Bytes } from "./stretch.js" */
/** @import { Engine, Frame, Part, Run } from "./engine.d.ts" */
/** @typedef {Pick<Work, "compress" | "seal" | "open" | "decompress">} Jobs */
/** @typedef {{engine: Engine, module: WebAssembly.Module}} Loaded */
/** @typedef {{jobs: number, remote: Remote, joined: Promise<unknown>}} Member */

const MOST = 8;
const FRAMES_EACH = 8; // less is done sooner than another engine is started
const FRAME = 1 << 20;
const SPARES = 32 << 20; // bytes in buffers of a size
const WORTH = 64; // frames from which on a crew is gathered beforehand
const JOBS_EACH = 2; // while one waits for a file, or for its messages, the next is worked on

export class Crew {
  #loaded;
  #size;
  /** @type {Work | null} */
  #own = null;
  /** @type {Member[]} */
  #members = [];
  /** @type {PromiseWithResolvers<Member>[]} */
  #waiting = [];
  /** Buffers that have served, by their size. Fresh ones cost as much as what is done with them. @type {Map<number, ArrayBuffer[]>} */
  #spares = new Map();
  #over = new AbortController();
  /** Gathered beforehand. @type {Crew | null} */
  static #ready = null;

  /**
   * Gathers a crew for the next that is asked for, if it has so much to do that a person may notice how long that takes. One that was
   * gathered for another size goes.
   * @param {Loaded} loaded
   * @param {number} frames
   */
  static prepare(loaded, frames) {
    if (Crew.#ready && Crew.#ready.#fits(frames)) return;
    Crew.#ready?.end();
    Crew.#ready = null;
    if (frames < WORTH) return;
    const crew = (Crew.#ready = new Crew(loaded, frames));
    while (crew.#members.length < crew.#size) crew.#hire();
  }

  /**
   * A crew for so many frames. Few of them are left to the caller's own engine.
   * @param {Loaded} loaded
   * @param {number} frames
   */
  static of(loaded, frames) {
    const ready = Crew.#ready;
    Crew.#ready = null;
    if (ready && ready.#fits(frames)) return ready;
    ready?.end();
    return new Crew(loaded, frames);
  }

  /**
   * A crew without members, which leaves the work to the caller's own engine, however much it is: for what is opened little by little.
   * One that was gathered beforehand stays.
   * @param {Loaded} loaded
   */
  static alone(loaded) {
    return new Crew(loaded, 0);
  }

  /**
   * Use of, or alone.
   * @param {Loaded} loaded
   * @param {number} frames
   */
  constructor(loaded, frames) {
    this.#loaded = loaded;
    this.#size = sizeFor(frames);
  }

  /** @param {number} frames */
  #fits(frames) {
    return !this.#over.signal.aborted && this.#size === sizeFor(frames);
  }

  /** How many members it has at most. Without any the work is done here. */
  get size() {
    return this.#size;
  }

  /** How many jobs keep all of it busy. */
  get jobs() {
    return Math.max(1, this.#size) * JOBS_EACH;
  }

  /**
   * The key in the form that jobs take.
   * @param {Uint8Array} raw
   */
  key(raw) {
    return cipherKey(this.#loaded.engine, raw);
  }

  /**
   * Has a member seal a part, into a buffer that has served before, if there is one.
   * @param {{key: Key, part: Part}} job
   * @param {Bytes[]} pieces
   */
  seal(job, pieces) {
    return this.run("seal", { ...job, outs: this.#served(job.part.size, 1) }, pieces);
  }

  /**
   * Has a member decompress frames, into buffers that have served before, if there are some.
   * @param {Frame[]} frames
   * @param {Bytes[]} pieces
   */
  decompress(frames, pieces) {
    return this.run("decompress", { frames, outs: this.#served(FRAME, frames.length) }, pieces);
  }

  /**
   * Has a member open a run of chunks.
   * @param {{key: Key, run: Run}} job
   * @param {Bytes[]} pieces
   */
  async open(job, pieces) {
    const { spent, ...opened } = await this.run("open", job, pieces);
    for (const buffer of spent) this.spare(buffer);
    return opened;
  }

  /**
   * Room for size bytes. What is in it does not count.
   * @param {number} size
   */
  buffer(size) {
    const [buffer] = this.#served(size, 1);
    return buffer ? new Uint8Array(buffer) : new Uint8Array(size);
  }

  /** @param {ArrayBuffer} buffer that nobody reads any more */
  spare(buffer) {
    const size = buffer.byteLength;
    const some = this.#spares.get(size) ?? [];
    if (size >= FRAME && some.length * size < SPARES) this.#spares.set(size, [...some, buffer]);
    else free(new Uint8Array(buffer));
  }

  /**
   * @param {number} size
   * @param {number} count
   */
  #served(size, count) {
    return this.#spares.get(size)?.splice(0, count) ?? [];
  }

  /**
   * Has a member do a job, as soon as one is free. The pieces are handed over.
   * @template {keyof Jobs} M
   * @param {M} method
   * @param {Parameters<Work[M]>[0]} job
   * @param {Bytes[]} [pieces]
   * @returns {Promise<Awaited<ReturnType<Work[M]>>>}
   */
  async run(method, job, pieces = []) {
    this.#over.signal.throwIfAborted();
    if (!this.#size) {
      const own = /** @type {any} */ (this.#own ??= new Work(this.#loaded.engine));
      return own[method](job, pieces);
    }
    const member = this.#free() ?? (await this.#wait());
    member.jobs++;
    try {
      await member.joined; // it would not be missed before
      const outs = "outs" in job ? job.outs : [];
      const transfer = [...pieces.map(({ buffer }) => buffer), ...outs];
      return await member.remote.call(method, [job, pieces], { transfer });
    } catch (e) {
      this.#over.signal.throwIfAborted(); // that is why
      throw e;
    } finally {
      member.jobs--;
      this.#waiting.shift()?.resolve(member);
    }
  }

  /**
   * Ends all work at once. What is not done fails.
   * @param {Error} [reason]
   */
  end(reason = new Error("the crew was dismissed")) {
    if (this.#over.signal.aborted) return;
    this.#over.abort(reason);
    for (const { remote } of this.#members) remote.terminate(reason);
    for (const { reject } of this.#waiting) reject(reason);
  }

  /** A member that can take another job. */
  #free() {
    const [idlest] = this.#members.toSorted((a, b) => a.jobs - b.jobs);
    if (idlest?.jobs === 0) return idlest;
    if (this.#members.length < this.#size) return this.#hire();
    return idlest.jobs < JOBS_EACH ? idlest : null;
  }

  #wait() {
    /** @type {PromiseWithResolvers<Member>} */
    const turn = Promise.withResolvers();
    this.#waiting.push(turn);
    return turn.promise;
  }

  #hire() {
    const remote = new Remote(new URL("./member.js", import.meta.url), (e) => this.end(lost(e)));
    const lock = `sealpost crew ${crypto.randomUUID()}`;
    const joined = remote.call("join", [this.#loaded.module, lock]);
    joined.then(() => this.#miss(lock)).catch((e) => this.end(e));
    const member = { jobs: 0, remote, joined };
    this.#members.push(member);
    return member;
  }

  /**
   * Ends the crew when a member is no more. A worker that the browser stops, for want of memory or whatever reason, ends without
   * a word, but it lets go of its lock.
   * @param {string} lock
   */
  async #miss(lock) {
    const release = await hold(lock, { signal: this.#over.signal });
    release?.();
    this.end(lost(new Error("it ended without a word")));
  }
}

/** @param {number} frames */
const sizeFor = (frames) => Math.min(MOST, navigator.hardwareConcurrency || 2, Math.floor(frames / FRAMES_EACH));

/**
 * What becomes of a transfer when a member cannot go on.
 * @param {Error & {code?: string}} e
 */
const lost = (e) => (e.code === "not-loaded" ? e : Object.assign(new Error(`a worker was lost: ${e.message}`), { code: "worker-stopped" }));
