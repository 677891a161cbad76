// @ts-check
// The entries of a bundle as a tree: which folders there are, what is in them, in which order, and which of it is called something.
// A manifest has files and empty folders alone; the other folders are in their names.
//
// A sender may be hostile: there can be half a million names, each of two thousand parts. So there is a most of folders, and a
// bundle that would have more is shown as a list of paths.

import { sorted } from "./slices.js";

/** @import { OpenedEntry } from "../worker/engine.d.ts" */
/** @import { Step } from "./slices.js" */

const MOST = 1 << 18; // folders
const COLLATOR_OPTIONS = { numeric: true };

/** @typedef {Folder | number} Node of the tree: an entry is its index */
/** @typedef {"sent" | "name" | "size" | "date"} Order */
/** @typedef {{node: Node, folder: Folder | null, place: number}} Row that is shown: folder is what it is in, place where among what is in that */

export class Folder {
  /** What is in it, as it was sent. @type {Node[]} */
  nodes = [];
  /** The same as it is shown. @type {Node[]} */
  shown = this.nodes;
  /** @type {Order} */
  order = "sent";
  open = false;
  level = 0;
  size = 0;
  files = 0;
  modified = 0; // the newest of its files

  /**
   * @param {string} name
   * @param {string} path which ends in "/"
   * @param {Folder | null} parent
   */
  constructor(name, path, parent) {
    this.name = name;
    this.path = path;
    this.parent = parent;
  }
}

export class Tree {
  #entries;
  #collator;
  /** What is searched in. @type {string[] | null} */
  #folded = null;
  /** That holds everything. */
  root = new Folder("", "", null);
  /** Folders that are shown. */
  folders = 0;
  /** There would be too many folders: it is a list of paths. */
  flat = false;

  /**
   * Use grown.
   * @param {OpenedEntry[]} entries
   * @param {string} language
   */
  constructor(entries, language) {
    this.#entries = entries;
    this.#collator = new Intl.Collator(language, COLLATOR_OPTIONS);
  }

  /**
   * @param {OpenedEntry[]} entries
   * @param {string} language whose order of names it is
   * @param {Step} step
   */
  static async grown(entries, language, step) {
    const tree = new Tree(entries, language);
    await tree.#grow(step);
    return tree;
  }

  /** The path of the folder that everything is in, or "". */
  get base() {
    return this.root.path;
  }

  /** Whether any file tells when it was changed. */
  get dated() {
    return this.root.modified > 0;
  }

  /** @param {Step} step */
  async #grow(step) {
    const all = [this.root];
    const known = new Map([["", this.root]]);
    for (const [i, { name, size, modified, directory }] of this.#entries.entries()) {
      const folder = folderOf(name, known, all);
      if (all.length > MOST) return this.#flatten();
      folder.nodes.push(i);
      folder.size += size;
      folder.files += directory ? 0 : 1;
      folder.modified = Math.max(folder.modified, modified);
      await step();
    }
    for (const folder of all.reverse()) { // from the leaves to the root
      const { parent, nodes: [only], nodes } = folder;
      if (parent) {
        parent.size += folder.size;
        parent.files += folder.files;
        parent.modified = Math.max(parent.modified, folder.modified);
      }
      if (nodes.length === 1 && only instanceof Folder) swallow(folder, only);
      await step();
    }
    this.folders = count(this.root);
  }

  #flatten() {
    this.flat = true;
    this.root = new Folder("", "", null);
    this.root.nodes = this.root.shown = this.#entries.map((_, i) => i);
  }

  /**
   * Opens all folders, if no more than most rows come of it; else the first, so that there is a file to be seen.
   * @param {number} most
   */
  open(most) {
    const all = this.#entries.length + this.folders <= most;
    const left = [this.root];
    for (let next = left.pop(); next; next = left.pop()) {
      next.open = true;
      const inner = next.nodes.filter((node) => node instanceof Folder);
      if (all) left.push(...inner);
      else if (inner.length === next.nodes.length) left.push(inner[0]);
    }
  }

  /**
   * Puts what is in a folder in order, if it is not.
   * @param {Folder} folder
   * @param {Order} order
   * @param {Step} step
   */
  async arrange(folder, order, step) {
    if (folder.order === order) return;
    folder.shown = await this.#sorted(folder.nodes, order, step);
    folder.order = order;
  }

  /**
   * What is seen of the tree, from top to bottom, in this order.
   * @param {Order} order
   * @param {Step} step
   * @returns {Promise<Row[]>}
   */
  async rows(order, step) {
    /** @type {Row[]} */
    const rows = [];
    const add = async (/** @type {Folder} */ folder, /** @type {number} */ level) => {
      await this.arrange(folder, order, step);
      folder.level = level;
      for (const [i, node] of folder.shown.entries()) {
        rows.push({ node, folder, place: i });
        if (node instanceof Folder && node.open) await add(node, level + 1);
        const rest = step();
        if (rest) await rest;
      }
    };
    await add(this.root, 1);
    return rows;
  }

  /**
   * The entries whose path has all of these words, in this order.
   * @param {string} words
   * @param {Order} order
   * @param {Step} step
   * @returns {Promise<Row[]>}
   */
  async search(words, order, step) {
    const wanted = fold(words).split(/\s+/).filter((word) => word);
    const folded = (this.#folded ??= []);
    const found = [];
    for (let i = 0; i < this.#entries.length; i++) {
      const path = (folded[i] ??= fold(this.#entries[i].name));
      if (wanted.every((word) => path.includes(word))) found.push(i);
      const rest = step();
      if (rest) await rest;
    }
    return (await this.#sorted(found, order, step)).map((node, place) => ({ node, folder: null, place }));
  }

  /**
   * The entries in a folder, and in those in it.
   * @param {Folder} folder
   * @returns {number[]}
   */
  within(folder) {
    const all = [], left = [folder];
    for (let next = left.pop(); next; next = left.pop()) {
      for (const node of next.nodes) {
        if (node instanceof Folder) left.push(node);
        else all.push(node);
      }
    }
    return all;
  }

  /**
   * @template {Node} N
   * @param {N[]} nodes
   * @param {Order} order
   * @param {Step} step
   */
  async #sorted(nodes, order, step) {
    if (order === "sent") return nodes;
    const of = (/** @type {Node} */ node) => (node instanceof Folder ? node : this.#entries[node]);
    if (order === "name") {
      /** @type {{node: N, folder: boolean, name: string}[]} */
      const keys = [];
      for (const node of nodes) {
        keys.push({ node, folder: node instanceof Folder, name: node instanceof Folder ? node.name : leaf(of(node).name) });
        await step();
      }
      const compare = (/** @type {typeof keys[0]} */ a, /** @type {typeof keys[0]} */ b) =>
        Number(b.folder) - Number(a.folder) || this.#collator.compare(a.name, b.name);
      return (await sorted(keys, compare, step)).map(({ node }) => node);
    }
    const member = order === "size" ? "size" : "modified";
    return sorted(nodes, (a, b) => of(b)[member] - of(a)[member], step);
  }
}

/**
 * The folder of an entry, made if there is none.
 * @param {string} name
 * @param {Map<string, Folder>} known by path
 * @param {Folder[]} all parents before what is in them
 */
function folderOf(name, known, all) {
  const end = name.lastIndexOf("/", name.length - 2) + 1;
  let folder = known.get(name.slice(0, end));
  if (folder) return folder;
  folder = /** @type {Folder} */ (known.get(""));
  for (let at = 0; at < end && all.length <= MOST; ) {
    const next = name.indexOf("/", at) + 1, path = name.slice(0, next);
    let inner = known.get(path);
    if (!inner) {
      inner = new Folder(name.slice(at, next - 1), path, folder);
      known.set(path, inner);
      all.push(inner);
      folder.nodes.push(inner);
    }
    folder = inner;
    at = next;
  }
  return folder;
}

/**
 * Shows a folder and the only thing in it, which is a folder, as one.
 * @param {Folder} folder
 * @param {Folder} only
 */
function swallow(folder, only) {
  folder.name = folder.name ? `${folder.name}/${only.name}` : only.name;
  folder.path = only.path;
  folder.nodes = folder.shown = only.nodes;
  for (const node of folder.nodes) if (node instanceof Folder) node.parent = folder;
}

/** @param {Folder} root */
function count(root) {
  let n = 0;
  const left = [root];
  for (let next = left.pop(); next; next = left.pop()) {
    for (const node of next.nodes) {
      if (!(node instanceof Folder)) continue;
      n++;
      left.push(node);
    }
  }
  return n;
}

/**
 * The last part of a path.
 * @param {string} path
 */
export const leaf = (path) => path.slice(path.lastIndexOf("/", path.length - 2) + 1);

/**
 * A text as it is compared with another: neither case nor accents matter.
 * @param {string} s
 */
export function fold(s) {
  if (/^[\x00-\x7f]*$/.test(s)) return s.toLowerCase();
  return s.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ß", "ss").replaceAll("ı", "i");
}
