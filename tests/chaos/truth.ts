/**
 * What is really so: who runs, and well, since when; who can talk to whom; and the last heartbeat of each node that each
 * other can possibly have heard of. (pure)
 *
 * Fair means: what is held against a node errs on its side. A node is well from when it says that it listens, until just before
 * something is done to it; a link is good from just after a fault was mended; yet a heartbeat counts as heard
 * from just before a node was started or a fault was mended, until just after its end or the fault's begin.
 *
 * @module
 */
import { canTalk, type LinkFault, troubles } from "./links.ts";

/** Others that may be ill or cut off without any excuse for two nodes that reach each other. */
const FEW = 2;

/** Of more than a few others this share must be well and reach both, for news to pass in time. */
const WELL_SHARE = 0.5;

/** Two nodes that cannot reach each other count as connected by so many that reach both. */
const RELAYS_MIN = 3;

/** Nothing asks what was longer ago. */
const REMEMBERED_MS = 600_000;

interface Trouble {
  readonly fault: LinkFault;
  /** Whether it surely keeps news apart now. */
  inForce: boolean;
  untilMs: number;
}

export class Truth {
  /** By running node: since when nothing ails it; Infinity while something does. */
  readonly #wellSinceMs = new Map<string, number>();
  /** By node: since when its port is open; not set once it is asked to end. */
  readonly #openSinceMs = new Map<string, number>();
  readonly #stalled = new Set<string>();
  /** By node in a CPU group: since when it was well before that, and since when it is in it. */
  readonly #starving = new Map<string, { wellSinceMs: number; readonly fromMs: number }>();
  /** By node: when it last went on after it was stopped. */
  readonly #resumedMs = new Map<string, number>();
  /** By running node: the latest time at which each other made a heartbeat that it can have heard of. */
  readonly #heardMs = new Map<string, Map<string, number>>();
  #troubles: Trouble[] = [];
  #stallEndMs = -Infinity;

  get running(): string[] {
    return [...this.#wellSinceMs.keys()];
  }

  get #faults(): LinkFault[] {
    return this.#troubles.filter(({ inForce }) => inForce).map(({ fault }) => fault);
  }

  isRunning(id: string): boolean {
    return this.#wellSinceMs.has(id);
  }

  isStalled(id: string): boolean {
    return this.#stalled.has(id);
  }

  isStarving(id: string): boolean {
    return this.#starving.has(id);
  }

  /** Since when it has hardly got to run; Infinity: it is not kept from running. */
  starvingSinceMs(id: string): number {
    return this.#starving.get(id)?.fromMs ?? Infinity;
  }

  /** Since when it has been well, or would be but for being starved: its host accepts connections for it. */
  upSinceMs(id: string): number {
    const starving = this.#openSinceMs.has(id) ? this.#starving.get(id) : undefined;
    return starving?.wellSinceMs ?? this.wellSinceMs(id);
  }

  wellSinceMs(id: string): number {
    return this.#wellSinceMs.get(id) ?? Infinity;
  }

  /** Since when its port has been open, stopped or not; Infinity if it is not, or closing. */
  openSinceMs(id: string): number {
    return this.#openSinceMs.get(id) ?? Infinity;
  }

  /** When it last went on after it was stopped. */
  resumedMs(id: string): number {
    return this.#resumedMs.get(id) ?? -Infinity;
  }

  /**
   * The last time that anybody's stall ended: until it caught up, it may have passed on ages that were too low. Infinity while
   * anybody starves.
   */
  get stallEndMs(): number {
    return this.#starving.size > 0 ? Infinity : this.#stallEndMs;
  }

  /** The process is about to start. */
  starts(id: string): void {
    this.#wellSinceMs.set(id, Infinity);
    this.#heardMs.set(id, new Map());
  }

  /** It listens, so it is well from now on. */
  listens(id: string, nowMs: number): void {
    if (!this.isRunning(id)) return;
    this.#openSinceMs.set(id, nowMs);
    this.#wellSinceMs.set(id, nowMs);
  }

  /** It is about to be ended, or to end by itself. */
  ends(id: string): void {
    if (this.isRunning(id)) this.#wellSinceMs.set(id, Infinity);
    this.#openSinceMs.delete(id);
  }

  /** It has ended. */
  ended(id: string, nowMs: number): void {
    this.spread(nowMs);
    this.ends(id);
    this.#wellSinceMs.delete(id);
    this.#heardMs.delete(id);
    this.#stalled.delete(id);
    this.#endStarving(id, nowMs);
  }

  /** It is about to be stopped. */
  stalls(id: string): void {
    this.#wellSinceMs.set(id, Infinity);
  }

  /** It has been stopped. */
  stalled(id: string, nowMs: number): void {
    this.spread(nowMs);
    this.#stalled.add(id);
  }

  /** It is about to go on. */
  resumes(id: string, nowMs: number): void {
    this.spread(nowMs);
    if (!this.#stalled.delete(id)) return;
    this.#stallEndMs = nowMs;
    this.#resumedMs.set(id, nowMs);
    if (this.#openSinceMs.has(id)) this.#wellSinceMs.set(id, nowMs);
  }

  /** It is about to be starved: it runs, hardly. */
  starves(id: string, nowMs: number): void {
    this.#starving.set(id, { wellSinceMs: this.wellSinceMs(id), fromMs: nowMs });
    if (this.isRunning(id)) this.#wellSinceMs.set(id, Infinity);
  }

  /** It gets to run again. */
  feeds(id: string, nowMs: number): void {
    if (this.#endStarving(id, nowMs) && this.#openSinceMs.has(id)) this.#wellSinceMs.set(id, nowMs);
  }

  #endStarving(id: string, nowMs: number): boolean {
    if (!this.#starving.delete(id)) return false;
    this.#stallEndMs = nowMs;
    return true;
  }

  /** The machine did not let it run for a while, until now. */
  ranLate(id: string, nowMs: number): void {
    this.#stallEndMs = nowMs;
    const starving = this.#starving.get(id);
    if (starving !== undefined) starving.wellSinceMs = Math.max(starving.wellSinceMs, nowMs);
    const wellMs = this.#wellSinceMs.get(id);
    if (wellMs !== undefined && wellMs < nowMs) this.#wellSinceMs.set(id, nowMs);
  }

  /** The fault is about to begin. */
  breaks(fault: LinkFault): void {
    this.#troubles.push({ fault, inForce: false, untilMs: Infinity });
  }

  /** The fault has begun. */
  broken(fault: LinkFault, nowMs: number): void {
    this.spread(nowMs);
    for (const trouble of this.#troubles) if (trouble.fault === fault) trouble.inForce = true;
  }

  /** The fault is about to end. */
  mends(fault: LinkFault, nowMs: number): void {
    this.spread(nowMs);
    for (const trouble of this.#troubles) if (trouble.fault === fault) trouble.inForce = false;
  }

  /** The fault has ended. */
  mended(fault: LinkFault, nowMs: number): void {
    this.#troubles = this.#troubles.filter(({ untilMs }) => nowMs - untilMs < REMEMBERED_MS);
    for (const trouble of this.#troubles) if (trouble.fault === fault) trouble.untilMs = nowMs;
  }

  /** Since when nothing has troubled the link between `a` and `b`; Infinity while something does. */
  goodSinceMs(a: string, b: string): number {
    let sinceMs = -Infinity;
    for (const { fault, untilMs } of this.#troubles) {
      if (untilMs > sinceMs && troubles(fault, a, b)) sinceMs = untilMs;
    }
    return sinceMs;
  }

  /** The last time that any fault of this kind was in force (of rejects: of those at `to`); Infinity: now. */
  lastMs(kind: LinkFault["kind"], to?: string): number {
    let lastMs = -Infinity;
    for (const { fault, untilMs } of this.#troubles) {
      const meant = fault.kind === kind && (fault.kind !== "reject" || fault.to === to);
      if (meant && untilMs > lastMs) lastMs = untilMs;
    }
    return lastMs;
  }

  /** Brings to the present who can have heard of whom: all nodes that could reach each other know the same. */
  spread(nowMs: number): void {
    const faults = this.#faults;
    const rest = new Set([...this.#heardMs.keys()].filter((id) => !this.#stalled.has(id)));
    for (const first of rest) {
      const group = [first];
      rest.delete(first);
      for (const id of group) {
        for (const other of rest) {
          if (!canTalk(faults, id, other)) continue;
          group.push(other);
          rest.delete(other);
        }
      }
      const heardMs = new Map<string, number>();
      for (const id of group) {
        for (const [of, atMs] of this.#heardMs.get(id)!) {
          if (atMs > (heardMs.get(of) ?? -Infinity)) heardMs.set(of, atMs);
        }
      }
      for (const id of group) heardMs.set(id, nowMs);
      for (const id of group) this.#heardMs.set(id, new Map(heardMs));
    }
  }

  /** When `id` made the last heartbeat that `observer` can have heard of. */
  heardMs(observer: string, id: string): number {
    return this.#heardMs.get(observer)?.get(id) ?? -Infinity;
  }

  /** Whether nothing kept `id` and at least half of the others apart since `sinceMs`, however well they ran. */
  isConnected(id: string, sinceMs: number): boolean {
    return this.#areMostOthers(id, (other) => this.goodSinceMs(id, other) <= sinceMs);
  }

  /** Whether at least half of the others, and `id` itself, ran well and reached each other since `sinceMs`. */
  isWellConnected(id: string, sinceMs: number): boolean {
    return this.wellSinceMs(id) <= sinceMs &&
      this.#areMostOthers(
        id,
        (other) => this.wellSinceMs(other) <= sinceMs && this.goodSinceMs(id, other) <= sinceMs,
      );
  }

  #areMostOthers(id: string, are: (other: string) => boolean): boolean {
    const others = this.running.filter((other) => other !== id);
    return others.filter(are).length >= WELL_SHARE * others.length;
  }

  /**
   * Whether `id` ran well, and connected to `observer`, ever since `sinceMs`. Connected: they reached each other, and so did at
   * least half of the others (where there are more than two); or many others reached both. The others are those
   * that run, and those that `shownLive` to the observer: it calls them too.
   */
  mustShowLive(
    observer: string,
    id: string,
    { sinceMs, shownLive }: { sinceMs: number; shownLive: Iterable<string> },
  ): boolean {
    return this.wellSinceMs(id) <= sinceMs && this.#isReached(observer, id, { sinceMs, shownLive });
  }

  /** As mustShowLive, of a starved `id`: it may be called unresponsive, and not dead, but where packets were lost. */
  mustNotShowDead(
    observer: string,
    id: string,
    { sinceMs, shownLive }: { sinceMs: number; shownLive: Iterable<string> },
  ): boolean {
    return this.upSinceMs(id) <= sinceMs && this.lastMs("loss") <= sinceMs &&
      this.#isReached(observer, id, { sinceMs, shownLive });
  }

  #isReached(
    observer: string,
    id: string,
    { sinceMs, shownLive }: { sinceMs: number; shownLive: Iterable<string> },
  ): boolean {
    const others = new Set([...this.running, ...shownLive]);
    others.delete(observer);
    others.delete(id);
    let well = 0;
    for (const other of others) {
      const reachesBoth = this.wellSinceMs(other) <= sinceMs &&
        this.goodSinceMs(observer, other) <= sinceMs && this.goodSinceMs(other, id) <= sinceMs;
      if (reachesBoth) well++;
    }
    const enough = well >= WELL_SHARE * others.size;
    return this.goodSinceMs(observer, id) <= sinceMs
      ? enough || others.size <= FEW
      : enough && well >= RELAYS_MIN;
  }
}
