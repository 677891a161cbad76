// @ts-check
// The rows of a list that may be very long. Of a long one only those exist that are in sight, and some around them; empty boxes stand for
// the rest. Rows are as high as their names need: the height of one that was never seen is guessed, and what is in sight stays where
// it is when the guess was wrong.

const WHOLE = 120; // rows that are worth no trouble
const GUESS = 52; // pixels
const MOST = 250_000; // Firefox lays nothing out beyond 17 million pixels

export class Rows {
  #list;
  #make;
  #drawn;
  #heights = new Float64Array(0);
  /** @type {Map<number, HTMLElement>} */
  #elements = new Map();
  #from = 0;
  #to = 0;
  #scrolled = 0;
  #width = 0;

  /**
   * @param {HTMLElement} list which scrolls
   * @param {(index: number) => HTMLElement} make
   * @param {() => void} drawn is called when other rows are there than before
   * @param {AbortSignal} signal ends it
   */
  constructor(list, make, drawn, signal) {
    this.#list = list;
    this.#make = make;
    this.#drawn = drawn;
    list.addEventListener("scroll", () => this.#look(), { passive: true, signal });
    const watch = new ResizeObserver(() => this.#resized());
    watch.observe(list);
    signal.addEventListener("abort", () => {
      watch.disconnect();
      list.removeAttribute("data-window");
    });
  }

  /** How many there are. */
  get count() {
    return this.#heights.length;
  }

  /** Whether not all of them exist. */
  get windowed() {
    return this.count > WHOLE;
  }

  /**
   * Shows count rows, all of them anew.
   * @param {number} count
   * @param {boolean} stay where the list is scrolled to
   * @returns {number} how many there can be
   */
  show(count, stay) {
    const had = this.#list.contains(document.activeElement);
    const top = stay ? this.#scrolled : 0, before = this.#heights;
    this.#heights = new Float64Array(Math.min(count, MOST)).fill(GUESS);
    if (stay) this.#heights.set(before.subarray(0, this.count)); // mostly they are the same
    this.#elements.clear();
    this.#list.replaceChildren();
    this.#from = this.#to = 0;
    this.#list.toggleAttribute("data-window", this.windowed);
    this.#place(top);
    this.#list.scrollTop = this.#scrolled;
    this.#draw();
    if (had && !this.#list.contains(document.activeElement)) this.#list.focus({ preventScroll: true });
    return this.count;
  }

  /**
   * The element of a row that is there, or is made to be.
   * @param {number} index
   */
  reveal(index) {
    const list = this.#list;
    if (!this.#elements.has(index)) {
      list.scrollTop = this.#scrolled = Math.max(0, this.#above(index) - list.clientHeight / 3);
      this.#draw();
    }
    const element = /** @type {HTMLElement} */ (this.#elements.get(index));
    element.scrollIntoView({ block: "nearest" });
    return element;
  }

  /** The rows that are there. @returns {ReadonlyMap<number, HTMLElement>} */
  get elements() {
    return this.#elements;
  }

  /** The row whose top is in sight. */
  get first() {
    return this.#at(this.#scrolled);
  }

  #look() {
    if (!this.#list.clientHeight) return; // it is not shown
    this.#scrolled = this.#list.scrollTop;
    this.#draw();
  }

  /** It is shown again, which has scrolled it to its beginning, or is of another width. */
  #resized() {
    const { clientWidth, clientHeight } = this.#list;
    if (!clientHeight) return;
    if (this.#list.scrollTop !== this.#scrolled) this.#list.scrollTop = this.#scrolled;
    if (clientWidth !== this.#width) {
      const first = this.first;
      this.#width = clientWidth;
      this.#heights.fill(GUESS);
      this.#measure(this.#elements.keys());
      this.#pad();
      if (this.windowed) this.#list.scrollTop = this.#scrolled = this.#scrolled && this.#above(first);
    }
    this.#draw();
  }

  /** Makes what comes into sight and removes what has gone out of it. */
  #draw() {
    const height = this.#list.clientHeight || 600;
    const from = this.windowed ? this.#at(this.#scrolled - height) : 0;
    const to = this.windowed ? Math.min(this.count, this.#at(this.#scrolled + 2 * height) + 1) : this.count;
    if (from === this.#from && to === this.#to) return;
    const anchor = this.first, above = this.#above(anchor);
    const fresh = [];
    for (let i = from; i < to; i++) if (!this.#elements.has(i)) fresh.push(i);
    this.#remove(from, to);
    this.#add(fresh, from, to);
    [this.#from, this.#to] = [from, to];
    this.#measure(fresh);
    this.#pad();
    const moved = this.#above(anchor) - above;
    if (moved && this.windowed) this.#list.scrollTop = this.#scrolled = this.#scrolled + moved;
    this.#drawn();
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #remove(from, to) {
    for (const [i, element] of this.#elements) {
      if (i >= from && i < to) continue;
      if (element.contains(document.activeElement)) this.#list.focus({ preventScroll: true }); // keys go on from there
      element.remove();
      this.#elements.delete(i);
    }
  }

  /**
   * @param {number[]} fresh ascending
   * @param {number} from
   * @param {number} to
   */
  #add(fresh, from, to) {
    const before = document.createDocumentFragment(), after = document.createDocumentFragment();
    const [old] = this.#elements.keys();
    for (const i of fresh) {
      const element = this.#make(i);
      this.#elements.set(i, element);
      (old !== undefined && i < old ? before : after).append(element);
    }
    this.#list.prepend(before);
    this.#list.append(after);
    const ordered = [];
    for (let i = from; i < to; i++) ordered.push(/** @type {[number, HTMLElement]} */ ([i, this.#elements.get(i)]));
    this.#elements = new Map(ordered);
  }

  /** @param {Iterable<number>} indices */
  #measure(indices) {
    if (!this.windowed || !this.#list.clientHeight) return;
    for (const i of indices) this.#heights[i] = this.#elements.get(i)?.getBoundingClientRect().height ?? GUESS;
  }

  #pad() {
    this.#stand(this.#above(this.#from), this.#above(this.count) - this.#above(this.#to));
  }

  /** @param {number} top to which there must be something to scroll */
  #place(top) {
    this.#stand(this.#above(this.count), 0);
    this.#scrolled = Math.min(top, this.#above(this.count));
  }

  /**
   * Has something stand for the rows that are not there.
   * @param {number} above pixels
   * @param {number} below
   */
  #stand(above, below) {
    this.#list.style.setProperty("--above", `${above}px`);
    this.#list.style.setProperty("--below", `${below}px`);
  }

  /**
   * How high the rows before this one are.
   * @param {number} index
   */
  #above(index) {
    let sum = 0;
    for (let i = 0; i < index; i++) sum += this.#heights[i];
    return sum;
  }

  /**
   * The row at a height.
   * @param {number} top
   */
  #at(top) {
    let i = 0;
    for (let sum = 0; i < this.count - 1; i++) {
      sum += this.#heights[i];
      if (sum > top) break;
    }
    return i;
  }
}
