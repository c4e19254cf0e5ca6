interface Entry {
  readonly atMs: number;
  /** Of two entries for one time the earlier made comes first, so that a run repeats exactly. */
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time, and what is to happen in it, soonest first: a binary heap. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #made = 0;
  #nowMs = 0;

  /** True time in ms since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets all happen until `untilMs`. */
  run(untilMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= untilMs) {
      const { atMs, run } = this.#take();
      this.#nowMs = Math.max(this.#nowMs, atMs);
      run();
    }
    this.#nowMs = untilMs;
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { atMs, order: this.#made++, run };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, entry)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #take(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      let at = 0;
      for (let child = 1; child < heap.length; child = 2 * at + 1) {
        if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
        if (isBefore(last, heap[child]!)) break;
        heap[at] = heap[child]!;
        at = child;
      }
      heap[at] = last;
    }
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
