/**
 * Addresses whose ID is not known yet: the seeds of `-join`, those of a former life's members, and what Go nodes
 * list. Each is called with exponential back-off until it answers; then it stands for a member, and is called again
 * only when that member is not live.
 *
 * @module
 */
import { CONTACTS_MAX } from "./limits.ts";

/** Back-off after the first failure, doubled by each further one. */
const BACK_OFF_MS = 1_000;

/** The longest back-off: a contact that comes up is found within half a minute. */
const BACK_OFF_MAX_MS = 30_000;

/** The longest back-off of a seed while this node has met nobody: until then it is alone, and a call costs little. */
const SEED_BACK_OFF_MAX_MS = 1_000;

/** The first one then: when all nodes of a cluster start at once, the seed is up a moment later. */
const SEED_BACK_OFF_MS = 250;

/**
 * Addresses of a former life that are called in one second: one answer tells all there is, and after a full restart
 * every node calls as many.
 */
const REMEMBERED_PER_S = 8;

/** Failures, after about ten minutes, at which such an address is forgotten: others took its place, or it calls us. */
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

  /** Seeds are called at once; what a former life remembered is called bit by bit from `nowMs`, monotonic, on. */
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

  /** Grows whenever the unanswered ones change. */
  get version(): number {
    return this.#version;
  }

  /** Adds an address heard of; false when the bound is reached. */
  add(address: string): boolean {
    if (this.#contacts.has(address)) return true;
    if (this.#contacts.size >= CONTACTS_MAX) return false;
    this.#contacts.set(address, contact("heard"));
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

  /**
   * The monotonic time after `monotonicMs` at which the first unanswered one may be called again; Infinity if none
   * waits.
   */
  nextDueMs(monotonicMs: number): number {
    let dueMs = Infinity;
    for (const { id, nextMs } of this.#contacts.values()) {
      if (id === undefined && nextMs > monotonicMs && nextMs < dueMs) dueMs = nextMs;
    }
    return dueMs;
  }

  answered(address: string, id: string): void {
    const found = this.#contacts.get(address);
    if (found === undefined) return;
    if (found.id === undefined) this.#version++;
    found.id = id;
    found.failures = 0;
    found.nextMs = 0;
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

  /** A member is live at `address`: the table knows all that a former life remembered of it. */
  met(address: string): void {
    const found = this.#contacts.get(address);
    if (found?.origin === "remembered" && found.id === undefined) this.#forget(address);
  }

  /** Takes what the names of seeds stand for now: what is new is called at once, what no longer is so is forgotten. */
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

  /** Whether somebody of `-join` does not answer, or is gone: its name may stand for others by now. */
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

  /** The contacts that nobody has answered at. */
  *unanswered(): Iterable<{ address: string; failures: number }> {
    for (const [address, { id, failures }] of this.#contacts) {
      if (id === undefined) yield { address, failures };
    }
  }
}

function contact(origin: Contact["origin"]): Contact {
  return { origin, id: undefined, failures: 0, nextMs: 0 };
}
