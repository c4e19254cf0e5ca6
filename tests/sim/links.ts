import type { Agenda } from "./agenda.ts";

/**
 * Who can reach whom: partitions, one-way blocks, firewalls that reject, and since when each pair can talk.
 */
export class Links {
  readonly #blocked = new Set<string>();
  readonly #rejected = new Set<string>();
  readonly #addresses = new Set<string>();
  readonly #badUntilMs = new Map<string, number>();
  readonly #agenda: Agenda;
  #island: ReadonlySet<string> | undefined;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  /** Tells of an address, so that pairs with it are kept account of. */
  know(address: string): void {
    this.#addresses.add(address);
    this.#account();
  }

  /** Parts `island` from all others; `undefined` heals it. */
  part(island: ReadonlySet<string> | undefined): void {
    this.#island = island;
    this.#account();
  }

  /** Drops, or no longer drops, all that `from` sends to `to`. */
  block(from: string, to: string, on: boolean): void {
    setMember(this.#blocked, `${from}>${to}`, on);
    this.#account();
  }

  /** Refuses, or no longer refuses, the connections that `from` opens to `to`. */
  reject(from: string, to: string, on: boolean): void {
    setMember(this.#rejected, `${from}>${to}`, on);
    this.#account();
  }

  healAll(): void {
    this.#blocked.clear();
    this.#rejected.clear();
    this.#island = undefined;
    this.#account();
  }

  passes(from: string, to: string): boolean {
    if (this.#island !== undefined && this.#island.has(from) !== this.#island.has(to)) return false;
    return this.#blocked.size === 0 || !this.#blocked.has(`${from}>${to}`);
  }

  isRejected(from: string, to: string): boolean {
    return this.#rejected.size > 0 && this.#rejected.has(`${from}>${to}`);
  }

  /** Since when calls one way or the other have got through; Infinity while none can. */
  goodSinceMs(a: string, b: string): number {
    return this.#badUntilMs.get(pairOf(a, b)) ?? -Infinity;
  }

  #account(): void {
    const { nowMs } = this.#agenda;
    const clear = this.#blocked.size === 0 && this.#rejected.size === 0 &&
      this.#island === undefined;
    if (clear) {
      for (const [pair, untilMs] of this.#badUntilMs) {
        if (untilMs === Infinity) this.#badUntilMs.set(pair, nowMs);
      }
      return;
    }
    const addresses = [...this.#addresses];
    for (const [i, a] of addresses.entries()) {
      for (const b of addresses.slice(i + 1)) {
        const pair = pairOf(a, b);
        const bad = !this.#canCall(a, b) && !this.#canCall(b, a);
        if (bad) this.#badUntilMs.set(pair, Infinity);
        else if (this.#badUntilMs.get(pair) === Infinity) this.#badUntilMs.set(pair, nowMs);
      }
    }
  }

  #canCall(from: string, to: string): boolean {
    return this.passes(from, to) && this.passes(to, from) && !this.isRejected(from, to);
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function setMember(set: Set<string>, key: string, on: boolean): void {
  if (on) set.add(key);
  else set.delete(key);
}
