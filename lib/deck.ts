/**
 * A shuffled walk over members that come and go: everybody comes up once before anybody comes up again, so that
 * nobody is
 * left to luck.
 *
 * @module
 */

export class Deck {
  #ids: string[] = [];

  /** Puts a newcomer at a random place of the walk, so that it need not wait for the next one. */
  admit(id: string, random: () => number): void {
    const at = Math.floor(random() * (this.#ids.length + 1));
    this.#ids.splice(at, 0, id);
  }

  /** The next `count` of `rows`, or all if there are not so many. */
  draw<T extends { readonly id: string }>(
    rows: readonly T[],
    count: number,
    random: () => number,
  ): T[] {
    if (count <= 0) return [];
    const drawn = new Set<T>();
    let refilled = false;
    while (drawn.size < Math.min(count, rows.length)) {
      const id = this.#ids.pop();
      if (id === undefined) {
        // A second refill would only bring up those drawn already.
        if (refilled) break;
        refilled = true;
        this.#ids = shuffle(rows.map((row) => row.id), random);
        continue;
      }
      // A search for each of the few drawn costs less than a map of all.
      const row = rows.find((row) => row.id === id);
      if (row !== undefined) drawn.add(row);
    }
    return [...drawn];
  }
}

/** Shuffles `list` in place (Fisher and Yates) and returns it. */
export function shuffle<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
