/**
 * The IP addresses of host names: looked up a few at a time, and remembered.
 *
 * Only the system's own lookup knows /etc/hosts and its like. It occupies one of the 32 threads that the runtime also
 * needs for HMACs and the disk, and nothing can stop it: while the name server does not answer, it takes 10 to 40 s. So
 * a lookup counts as under way until it really ends, whoever still waits for it; a name that does not resolve is left
 * alone for a while; and a name that did resolve stays reachable at its last known addresses.
 *
 * @module
 */
import { untilAborted, withDeadline } from "./deadline.ts";

/** Lookups under way at once: a small part of the runtime's threads, so that all of them may hang. */
export const LOOKUPS_MAX = 4;

/** Of these, lookups of names that did not resolve the last time: such names must not hold up others. */
export const FAILING_MAX = 2;

/** Age up to which remembered addresses are used without a lookup, in ms: a short-lived DNS record's own lifetime. */
const FRESH_MS = 5_000;

/** Time after which a call uses remembered addresses while the lookup goes on, in ms: most of its own time is left. */
const GRACE_MS = 200;

/** Delay before a name that did not resolve is looked up again, in ms: the shortest and the longest. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

/** The delay is this many times the time that the lookup took: a name uses a tenth of a thread at most. */
const RETRY_SHARE = 10;

/** Names remembered, the one used longest ago forgotten first: those of a large cluster, a few MB at most. */
export const KNOWN_NAMES_MAX = 8_192;

/** Addresses remembered per name; a call tries no more. */
export const IPS_MAX = 8;

/** The name's IP addresses are not known; the message gives the reason, without the name. */
export class LookupError extends Error {
  override readonly name = "LookupError";
}

/** Looks up all IP addresses of a host name; rejects a name without any. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export interface Found {
  /** At least one, in the system's order of preference. */
  readonly ips: readonly string[];
  /** False for addresses remembered from an earlier lookup: another host may have them by now. */
  readonly isFresh: boolean;
}

interface KnownName {
  /** Empty for a name that never resolved. */
  readonly ips: readonly string[];
  /** When a lookup last gave these addresses, in ms of the monotonic clock. */
  readonly foundMs: number;
  /** When the name may be looked up again. */
  readonly nextMs: number;
  /** The last lookup failed for this reason. */
  readonly failure: string | undefined;
}

/** A lookup that is wanted, or under way. */
interface Pending {
  readonly ended: PromiseWithResolvers<void>;
  readonly sinceMs: number;
  waiting: number;
  isUnderWay: boolean;
}

export interface LookupsOptions {
  /** By default the system's. */
  readonly lookup?: Lookup;
  /** Milliseconds of a monotonic clock (default `performance.now`). */
  readonly nowMs?: () => number;
}

const UNKNOWN: KnownName = { ips: [], foundMs: -Infinity, nextMs: -Infinity, failure: undefined };

export class Lookups {
  readonly #lookup: Lookup;
  readonly #nowMs: () => number;
  /** The one used longest ago first. */
  readonly #names = new Map<string, KnownName>();
  /** In the order in which they were wanted. */
  readonly #pending = new Map<string, Pending>();
  #underWay = 0;
  #failingUnderWay = 0;

  constructor({ lookup = systemLookup, nowMs = () => performance.now() }: LookupsOptions = {}) {
    this.#lookup = lookup;
    this.#nowMs = nowMs;
  }

  /**
   * Resolves to the addresses of `name`. Waits for a lookup where there is no other way, until `signal` is aborted.
   *
   * @throws {LookupError} if the name is not known, or not in time.
   */
  async find(name: string, signal: AbortSignal): Promise<Found> {
    const before = this.#names.get(name) ?? UNKNOWN;
    if (this.#isFresh(before)) return { ips: before.ips, isFresh: true };
    if (this.#nowMs() >= before.nextMs) await this.#wait(name, before, signal);
    const { ips, failure, ...rest } = this.#names.get(name) ?? UNKNOWN;
    if (ips.length > 0) return { ips, isFresh: this.#isFresh({ ips, failure, ...rest }) };
    throw new LookupError(failure ?? "the lookup of its name takes too long");
  }

  #isFresh({ foundMs }: KnownName): boolean {
    return this.#nowMs() - foundMs <= FRESH_MS;
  }

  async #wait(name: string, { ips }: KnownName, signal: AbortSignal): Promise<void> {
    const nowMs = this.#nowMs();
    const pending = this.#pending.get(name) ??
      { ended: Promise.withResolvers<void>(), sinceMs: nowMs, waiting: 0, isUnderWay: false };
    this.#pending.set(name, pending);
    pending.waiting++;
    this.#startSome();
    const ended = untilAborted(pending.ended.promise, signal);
    if (ips.length === 0) await ended;
    else await withDeadline(ended, Math.max(0, pending.sinceMs + GRACE_MS - nowMs), () => {});
    // The queue holds only names that a call waits for, so it is as short as calls are few.
    if (--pending.waiting === 0 && !pending.isUnderWay) this.#pending.delete(name);
  }

  /** Starts the lookups that have waited longest and for which there is room. */
  #startSome(): void {
    for (const [name, pending] of this.#pending) {
      if (this.#underWay >= LOOKUPS_MAX) return;
      const isFailing = this.#names.get(name)?.failure !== undefined;
      if (pending.isUnderWay || (isFailing && this.#failingUnderWay >= FAILING_MAX)) continue;
      pending.isUnderWay = true;
      void this.#run(name, pending, isFailing);
    }
  }

  async #run(name: string, pending: Pending, isFailing: boolean): Promise<void> {
    this.#underWay++;
    if (isFailing) this.#failingUnderWay++;
    const startMs = this.#nowMs();
    let found: readonly string[] = [];
    let failure: string | undefined;
    try {
      found = await this.#lookup(name);
    } catch (error) {
      failure = reasonOf(error);
    }
    const nowMs = this.#nowMs();
    if (found.length > 0) {
      const ips = found.slice(0, IPS_MAX);
      this.#remember(name, { ips, foundMs: nowMs, nextMs: -Infinity, failure: undefined });
    } else {
      const tookMs = nowMs - startMs;
      const nextMs = nowMs + Math.min(Math.max(RETRY_MS, RETRY_SHARE * tookMs), RETRY_MAX_MS);
      failure ??= reasonOf(undefined);
      this.#remember(name, { ...this.#names.get(name) ?? UNKNOWN, nextMs, failure });
    }
    this.#underWay--;
    if (isFailing) this.#failingUnderWay--;
    this.#pending.delete(name);
    pending.ended.resolve();
    this.#startSome();
  }

  #remember(name: string, known: KnownName): void {
    this.#names.delete(name);
    this.#names.set(name, known);
    if (this.#names.size <= KNOWN_NAMES_MAX) return;
    const [oldest = ""] = this.#names.keys();
    this.#names.delete(oldest);
  }
}

/** Looks a name up as every program of this host does. Node's part of the runtime, megabytes, is loaded when needed. */
const systemLookup: Lookup = async (name) => {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(name, { all: true })).map(({ address }) => address);
};

/** Whether a lookup failed for lack of an answer, which says nothing about the name. Deno 2.7 cannot tell: false. */
function isUnsure(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAI_AGAIN";
}

function reasonOf(error: unknown): string {
  return isUnsure(error) ? "no name server answers for its name" : "its name does not resolve";
}
