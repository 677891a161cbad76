// @ts-check
// What package d1 leaves to JavaScript. A batch comes from Go as one text and goes back as one: a value that passes between Go
// and JavaScript alone takes longer than to read it in a text.

/** @typedef {null | number | string | [base64: string]} Value as it stands in the text; the last is a BLOB */

/** A database as the Go driver sees it, for one request. */
export class Batches {
  #db;

  /** @param {D1Database} db */
  constructor(db) {
    this.#db = db;
  }

  /**
   * Runs statements as one step. Returns the rows that each answers, as Value[][][]; what a row's columns are called is not told.
   * @param {string} text [query, …arguments][]
   */
  async run(text) {
    const batch = JSON.parse(text).map((/** @type {[string, ...Value[]]} */ [query, ...args]) =>
      this.#db.prepare(query).bind(...args.map(toD1)),
    );
    const answers = /** @type {D1Result<object>[]} */ (await this.#db.batch(batch));
    return JSON.stringify(answers.map(({ results }) => results.map((/** @type {object} */ row) => Object.values(row).map(fromD1))));
  }
}

/** @param {Value} value */
function toD1(value) {
  return Array.isArray(value) ? Uint8Array.from(atob(value[0]), (c) => c.charCodeAt(0)) : value;
}

/** @param {unknown} value a BLOB is an array of numbers */
function fromD1(value) {
  return Array.isArray(value) ? [btoa(value.map((byte) => String.fromCharCode(byte)).join(""))] : value;
}
