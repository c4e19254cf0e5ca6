import type { Agenda } from "./agenda.ts";

/**
 * Who can reach whom: partitions, one-way blocks, firewalls that reject, and since when each can call each.
 */
export class Links {
  readonly #blocked = new Set<string>();
  readonly #rejected = new Set<string>();
  readonly #addresses = new Set<string>();
  /** By caller and callee. */
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

  /** Since when calls of `from` to `to` have got through; Infinity while they cannot. */
  callableSinceMs(from: string, to: string): number {
    return this.#badUntilMs.get(`${from}>${to}`) ?? -Infinity;
  }

  /** Since when calls one way or the other have got through; Infinity while none can. */
  goodSinceMs(a: string, b: string): number {
    return Math.min(this.callableSinceMs(a, b), this.callableSinceMs(b, a));
  }

  #account(): void {
    const { nowMs } = this.#agenda;
    const clear = this.#blocked.size === 0 && this.#rejected.size === 0 &&
      this.#island === undefined;
    if (clear) {
      for (const [call, untilMs] of this.#badUntilMs) {
        if (untilMs === Infinity) this.#badUntilMs.set(call, nowMs);
      }
      return;
    }
    for (const from of this.#addresses) {
      for (const to of this.#addresses) {
        const call = `${from}>${to}`;
        if (!this.#canCall(from, to)) this.#badUntilMs.set(call, Infinity);
        else if (this.#badUntilMs.get(call) === Infinity) this.#badUntilMs.set(call, nowMs);
      }
    }
  }

  #canCall(from: string, to: string): boolean {
    return this.passes(from, to) && this.passes(to, from) && !this.isRejected(from, to);
  }
}

function setMember(set: Set<string>, key: string, on: boolean): void {
  if (on) set.add(key);
  else set.delete(key);
}
