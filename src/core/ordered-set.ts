// A set of texts in the order in which they were added, in which the first is found at once however many before it were taken out. A Set of
// the language keeps places of what was deleted until it grows: whoever deletes from the front and looks for the first walks over all of them.
//   O1  Adding, taking out and finding the next one cost the same however many there are, or were.
//   O2  What is taken out during a walk is not visited any more, and the walk goes on behind it.

interface Place {
  readonly text: string;
  before: Place | null;
  after: Place | null;
  isIn: boolean;
}

export class OrderedSet {
  readonly #places = new Map<string, Place>();
  #first: Place | null = null;
  #last: Place | null = null;

  get size(): number {
    return this.#places.size;
  }

  has(text: string): boolean {
    return this.#places.has(text);
  }

  /** Goes to the end; one that is in keeps its place. */
  add(text: string): void {
    if (this.#places.has(text)) return;
    const place: Place = { text, before: this.#last, after: null, isIn: true };
    if (this.#last === null) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#places.set(text, place);
  }

  delete(text: string): void {
    const place = this.#places.get(text);
    if (place === undefined) return;
    this.#places.delete(text);
    place.isIn = false;
    if (place.before === null) this.#first = place.after;
    else place.before.after = place.after;
    if (place.after === null) this.#last = place.before;
    else place.after.before = place.before;
  }

  *values(): Generator<string, undefined> {
    // O2: one that was taken out still knows what followed it.
    for (let place = this.#first; place !== null; place = place.after) if (place.isIn) yield place.text;
  }

  [Symbol.iterator](): Generator<string, undefined> {
    return this.values();
  }
}
