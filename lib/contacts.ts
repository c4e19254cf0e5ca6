/**
 * Addresses whose ID is not known yet: the seeds of `-join`, the members of a former life, and what Go nodes list.
 * Each is called with exponential back-off until it answers; then it belongs to a member, and is called again only
 * when that member is not live.
 *
 * @module
 */
import { CONTACTS_MAX } from "./limits.ts";

/** Back-off after the first failure, in ms; each further one doubles it. */
const BACK_OFF_MS = 1_000;

/** The longest back-off, in ms: a contact that comes up is found within half a minute. */
const BACK_OFF_MAX_MS = 30_000;

/** The longest back-off of a seed while this node has met nobody, in ms: it is alone, and a call costs little. */
const SEED_BACK_OFF_MAX_MS = 1_000;

/** The first back-off then, in ms: when all nodes of a cluster start at once, the seed is up a moment later. */
const SEED_BACK_OFF_MS = 250;

/**
 * Addresses of a former life that are called per second: one answer tells the whole table, and after a full restart
 * every node calls as many.
 */
const REMEMBERED_PER_S = 8;

/**
 * Failures, after about ten minutes, at which such an address is forgotten: the member moved, or will call by itself.
 */
const REMEMBERED_FAILURES_MAX = 30;

interface Contact {
  readonly origin: "seed" | "resolved" | "remembered" | "heard";
  /** The member that answered there, once one did. */
  id: string | undefined;
  failures: number;
  /** Monotonic time of the next call. */
  nextMs: number;
}

export class Contacts {
  readonly #contacts = new Map<string, Contact>();

  #version = 0;

  /** Seeds are called at once; the addresses of a former life a few per second, from `nowMs` (monotonic) on. */
  constructor(
    seeds: readonly string[],
    { remembered = [], nowMs = 0 }: { remembered?: readonly string[]; nowMs?: number } = {},
  ) {
    for (const address of seeds) this.#contacts.set(address, contact("seed"));
    for (const [i, address] of remembered.entries()) {
      if (this.#contacts.has(address)) continue;
      const nextMs = nowMs + Math.floor(i / REMEMBERED_PER_S) * 1_000;
      this.#contacts.set(address, { ...contact("remembered"), nextMs });
    }
  }

  /** Grows whenever the set of unanswered contacts changes. */
  get version(): number {
    return this.#version;
  }

  /** Adds an address that a Go node listed; false at the bound. */
  add(address: string): boolean {
    if (this.#contacts.has(address)) return true;
    if (this.#contacts.size >= CONTACTS_MAX) return false;
    this.#contacts.set(address, contact("heard"));
    this.#version++;
    return true;
  }

  /** Addresses to call now: unanswered ones, and those whose member is not present. */
  due(monotonicMs: number, isPresent: (id: string) => boolean): string[] {
    const due: string[] = [];
    for (const [address, { id, nextMs }] of this.#contacts) {
      if (nextMs <= monotonicMs && (id === undefined || !isPresent(id))) due.push(address);
    }
    return due;
  }

  /**
   * The monotonic time after `monotonicMs` at which the first unanswered contact may be called again; or Infinity.
   */
  nextDueMs(monotonicMs: number): number {
    let dueMs = Infinity;
    for (const { id, nextMs } of this.#contacts.values()) {
      if (id === undefined && nextMs > monotonicMs && nextMs < dueMs) dueMs = nextMs;
    }
    return dueMs;
  }

  /** The address at which member `id` answered. */
  addressOf(id: string): string | undefined {
    for (const [address, contact] of this.#contacts) if (contact.id === id) return address;
    return undefined;
  }

  answered(address: string, id: string): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    if (found.id === undefined) this.#version++;
    found.id = id;
    found.failures = 0;
    found.nextMs = 0;
  }

  /**
   * Notes that this node itself, `id`, answered at `address`. A load balancer may lead the next call to another, so it
   * is called again, ever less often, while nobody else is known.
   */
  metSelf(address: string, id: string, at: { monotonicMs: number; random: () => number }): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    if (found.id === undefined) this.#version++;
    found.id = id;
    this.failed(address, { ...at, alone: false });
  }

  /** Notes a failed call. */
  failed(
    address: string,
    at: { monotonicMs: number; alone: boolean; random: () => number },
  ): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    const maxMs = found.origin !== "heard" && at.alone ? SEED_BACK_OFF_MAX_MS : BACK_OFF_MAX_MS;
    const isSeed = found.origin === "seed" || found.origin === "resolved";
    const firstMs = isSeed && at.alone ? SEED_BACK_OFF_MS : BACK_OFF_MS;
    const backOffMs = Math.min(firstMs * 2 ** found.failures, maxMs);
    found.failures = Math.min(found.failures + 1, 30);
    const useless = found.origin === "remembered" && found.id === undefined && !at.alone;
    if (useless && found.failures >= REMEMBERED_FAILURES_MAX) this.#forget(address);
    // Spread over half the back-off, so that a cluster does not call in step.
    found.nextMs = at.monotonicMs + backOffMs * (0.5 + at.random() / 2);
  }

  /** Notes that a member is live at `address`: the table knows it, so the former life's contact is forgotten. */
  met(address: string): void {
    const found = this.#contacts.get(address);
    if (found?.origin === "remembered" && found.id === undefined) this.#forget(address);
  }

  /**
   * Takes the addresses that the names of seeds resolve to now: new ones are called at once, others are forgotten.
   */
  resolved(addresses: readonly string[]): void {
    for (const [address, { origin }] of this.#contacts) {
      if (origin === "resolved" && !addresses.includes(address)) this.#forget(address);
    }
    for (const address of addresses) {
      if (this.#contacts.has(address) || this.#contacts.size >= CONTACTS_MAX) continue;
      this.#contacts.set(address, contact("resolved"));
      this.#version++;
    }
  }

  /** Whether a seed does not answer or its member is gone: the seed's name may resolve to others by now. */
  misses(isPresent: (id: string) => boolean): boolean {
    return [...this.#contacts.values()].some(({ origin, id }) =>
      (origin === "seed" || origin === "resolved") && (id === undefined || !isPresent(id))
    );
  }

  #forget(address: string): void {
    this.#contacts.delete(address);
    this.#version++;
  }

  get allAnswered(): boolean {
    return [...this.unanswered()].length === 0;
  }

  /** The contacts at which nobody has answered. */
  *unanswered(): Iterable<{ address: string; failures: number }> {
    for (const [address, { id, failures }] of this.#contacts) {
      if (id === undefined) yield { address, failures };
    }
  }
}

function contact(origin: Contact["origin"]): Contact {
  return { origin, id: undefined, failures: 0, nextMs: 0 };
}
