/**
 * Addresses whose ID is not known yet: the seeds of `-join`, and what Go nodes list. Each is called with exponential
 * back-off until it answers; then it stands for a member, and is called again only when that member is not live.
 *
 * @module
 */
import { CONTACTS_MAX } from "./limits.ts";

/** Back-off after the first failure, doubled by each further one. */
const BACK_OFF_MS = 1_000;

/** The longest back-off: a contact that comes up is found within half a minute. */
const BACK_OFF_MAX_MS = 30_000;

/** The longest back-off of a seed while this node has met nobody: until then it is alone, and a call costs little. */
const SEED_BACK_OFF_MAX_MS = 2_000;

interface Contact {
  readonly seed: boolean;
  /** The member that answered there, once one did. */
  id: string | undefined;
  failures: number;
  /** Monotonic time of the next call. */
  nextMs: number;
}

export class Contacts {
  readonly #contacts = new Map<string, Contact>();

  #version = 0;

  constructor(seeds: readonly string[]) {
    for (const address of seeds) this.#contacts.set(address, contact(true));
  }

  /** Grows whenever the unanswered ones change. */
  get version(): number {
    return this.#version;
  }

  /** Adds an address heard of; false when the bound is reached. */
  add(address: string): boolean {
    if (this.#contacts.has(address)) return true;
    if (this.#contacts.size >= CONTACTS_MAX) return false;
    this.#contacts.set(address, contact(false));
    this.#version++;
    return true;
  }

  /** Addresses to call now: unanswered ones, and those whose member `isPresent` denies. */
  due(monotonicMs: number, isPresent: (id: string) => boolean): string[] {
    const due: string[] = [];
    for (const [address, { id, nextMs }] of this.#contacts) {
      if (nextMs <= monotonicMs && (id === undefined || !isPresent(id))) due.push(address);
    }
    return due;
  }

  answered(address: string, id: string): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    if (found.id === undefined) this.#version++;
    found.id = id;
    found.failures = 0;
    found.nextMs = 0;
  }

  failed(address: string, at: { monotonicMs: number; alone: boolean; random: () => number }): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    const maxMs = found.seed && at.alone ? SEED_BACK_OFF_MAX_MS : BACK_OFF_MAX_MS;
    const backOffMs = Math.min(BACK_OFF_MS * 2 ** found.failures, maxMs);
    found.failures = Math.min(found.failures + 1, 30);
    // Spread over half the back-off, so that a cluster does not call in step.
    found.nextMs = at.monotonicMs + backOffMs * (0.5 + at.random() / 2);
  }

  get allAnswered(): boolean {
    return [...this.unanswered()].length === 0;
  }

  /** The contacts that nobody has answered at. */
  *unanswered(): Iterable<{ address: string; failures: number }> {
    for (const [address, { id, failures }] of this.#contacts) {
      if (id === undefined) yield { address, failures };
    }
  }
}

function contact(seed: boolean): Contact {
  return { seed, id: undefined, failures: 0, nextMs: 0 };
}
