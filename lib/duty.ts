/**
 * One hook at one node that carries it: which changes its users should be told of, and when it is this node's turn.
 *
 * It compares what a member is with what was told of it last, rather than counting changes: so a change that is over
 * before it was told is never told, one that was told is not told again by whoever comes late, and what was told dead
 * is told live again by whoever is there.
 *
 * @module
 */
import { hashOf, hex8 } from "./hash.ts";
import type { ChangeToTell, Hook, Telling } from "./hook.ts";
import { readAbout } from "./about.ts";
import { isOtherTrouble, isOutdated, nameOf, type Seen, TROUBLES } from "./naming.ts";
import type { Row, Status } from "./table.ts";
import type { Tidings } from "./tidings.ts";
import { type ChangeName, keyOf, TOLD_TOLD_MAX } from "./told.ts";
import { Queue } from "./turns.ts";

/** The first change waits this long for others, in ms: a rack dies within it, and nobody wakes up faster. */
const GATHER_MS = 500;

/** Once many were told together, what follows within so long, in ms, goes as one more message. */
const STORM_MS = 5_000;

/** Changes in one message, the oldest first: so many become known as told with one message of gossip. */
const CHANGES_MAX = TOLD_TOLD_MAX;

/** What a user did on purpose is told at once: it does not pass. */
const AT_ONCE: ReadonlySet<Status> = new Set(["left", "decommissioned"]);

/** A change that is to be told. */
interface PendingChange {
  /** Since when the member has been worse than was told, or better. */
  readonly sinceMs: number;
  readonly isTrouble: boolean;
  /** Since when nothing keeps this node from telling it; undefined: something does. */
  freeMs: number | undefined;
}

/** What was taken as known. */
interface Known {
  readonly status: Status;
  readonly atMs: number;
  /** The member was something else since, which nobody was told of: should it become so again, that is news. */
  readonly isOver?: boolean;
}

interface Due {
  /** When the changes are due, for whoever is first. */
  readonly dueMs: number;
  readonly ids: readonly string[];
}

export class Duty {
  readonly hook: Hook;
  /** Messages told by this node, and attempts that failed. */
  readonly counts = { told: 0, failed: 0 };
  readonly queue = new Queue();
  /** The message under way. */
  underWay: Telling | undefined;
  /** When it was made: what happened since then it does not tell. */
  beganMs = -Infinity;
  readonly #tidings: Tidings;
  readonly #seen: ReadonlyMap<string, Seen>;
  readonly #tellAfterMs: number;
  /** What was taken as known of each member without being told, and since when. */
  readonly #known = new Map<string, Known>();
  readonly #wanted = new Map<string, PendingChange>();
  /** What the message under way tells, by key. */
  #names = new Map<string, ChangeName>();

  constructor(options: {
    readonly hook: Hook;
    readonly tidings: Tidings;
    readonly seen: ReadonlyMap<string, Seen>;
    readonly tellAfterMs: number;
  }) {
    this.hook = options.hook;
    this.#tidings = options.tidings;
    this.#seen = options.seen;
    this.#tellAfterMs = options.tellAfterMs;
  }

  /** Whether nothing is to be told. */
  get isIdle(): boolean {
    return this.#wanted.size === 0;
  }

  /** Takes a member's present status as known, so that only what follows is told. */
  know(seen: Seen): void {
    this.#known.set(seen.id, { status: seen.status, atMs: seen.atMs });
  }

  /** Whether a member is in trouble that this hook tells of. */
  minds({ status, row }: Seen): boolean {
    return TROUBLES.has(status) && this.hook.statuses.has(status) && this.#hasTags(row);
  }

  /** Looks at a member anew: it changed, or somebody was told of it. */
  judge(seen: Seen, nowMs: number): void {
    const { id, status } = seen;
    if (!this.#wants(seen)) {
      this.#wanted.delete(id);
      this.#known.set(id, { status, atMs: seen.atMs });
      return;
    }
    const known = this.#known.get(id);
    if (known !== undefined && known.status !== status) {
      this.#known.set(id, { ...known, isOver: true });
    }
    const isTrouble = status !== "live";
    if (this.#wanted.get(id)?.isTrouble === isTrouble) return;
    this.#wanted.set(id, { sinceMs: Math.min(seen.atMs, nowMs), isTrouble, freeMs: undefined });
  }

  /** Forgets members of which nothing is known any more. */
  keepOnly(isKnown: (id: string) => boolean): void {
    for (const kept of [this.#known, this.#wanted]) {
      for (const id of kept.keys()) if (!isKnown(id)) kept.delete(id);
    }
  }

  #wants(seen: Seen): boolean {
    const { hook } = this;
    const { id, status, row } = seen;
    const told = this.#tidings.told.get(hook.name, id);
    const isTold = hook.statuses.has(status) && this.#hasTags(row);
    if (told !== undefined && isOutdated(seen, told)) return false;
    if (told !== undefined && TROUBLES.has(told.to)) {
      return status === "live" || (isTold && isOtherTrouble(seen, told));
    }
    const known = this.#known.get(id);
    const isLater = told !== undefined && told.toldAtMs >= (known?.atMs ?? -Infinity);
    return isTold && (isLater ? status !== told.to : known?.isOver || status !== known?.status);
  }

  #hasTags(row: Row | undefined): boolean {
    const wanted = Object.entries(this.hook.tags);
    if (wanted.length === 0) return true;
    const { tags } = readAbout(row?.about);
    return wanted.every(([key, value]) => tags[key] === value);
  }

  /** The changes to be told next, and when; undefined for none. `isMute`: this node holds its tongue. */
  due(nowMs: number, isMute: boolean): Due | undefined {
    const ready: { id: string; readyMs: number }[] = [];
    for (const [id, wanted] of this.#wanted) {
      const isQuiet = isMute || this.#tidings.quiets.of(id, nowMs) !== undefined;
      // What was kept back counts from when it is free again: all take their turns from then on.
      wanted.freeMs = isQuiet ? undefined : wanted.freeMs ?? nowMs;
      const readyMs = this.#readyMs(id, wanted);
      if (readyMs < Infinity) ready.push({ id, readyMs });
    }
    if (ready.length === 0) return undefined;
    ready.sort((a, b) => a.readyMs - b.readyMs);
    const ids = ready.filter(({ readyMs }) => readyMs <= nowMs).map(({ id }) => id)
      .slice(0, CHANGES_MAX);
    const gatheredMs = ready[0]!.readyMs + GATHER_MS;
    const last = this.#tidings.told.last(this.hook.name);
    const isStorm = last !== undefined && (last.together > 1 || ids.length > 1);
    return { ids, dueMs: isStorm ? Math.max(gatheredMs, last.atMs + STORM_MS) : gatheredMs };
  }

  /** When a change has lasted long enough; Infinity while something keeps it back. */
  #readyMs(id: string, { freeMs = Infinity, sinceMs }: PendingChange): number {
    const afterMs = AT_ONCE.has(this.#seen.get(id)!.status) ? 0 : this.#tellAfterMs;
    return Math.max(freeMs, sinceMs + afterMs);
  }

  /** Begins a message about these members. */
  begin(ids: readonly string[], nowMs: number): Telling {
    const seen = ids.map((id) => this.#seen.get(id)!);
    const names = seen.map((each) => {
      return nameOf(each, this.#tidings.told.get(this.hook.name, each.id));
    });
    this.#names = new Map(names.map((name) => [keyOf(name), name]));
    const changes = seen.map((each, i) => this.#changeOf(each, keyOf(names[i]!), nowMs));
    this.beganMs = nowMs;
    return this.underWay = { hook: this.hook.name, key: keyOfAll(changes), changes };
  }

  /** What was told when the message under way was; empty where it was of no member. */
  end(outcome: "done" | "failed"): ChangeName[] {
    this.underWay = undefined;
    if (outcome === "done") this.counts.told++;
    else this.counts.failed++;
    return outcome === "done" ? [...this.#names.values()] : [];
  }

  /** Begins the message that this node is cut off. */
  beginCutOff(change: ChangeToTell): Telling {
    this.#names = new Map();
    return this.underWay = { hook: this.hook.name, key: change.key, changes: [change] };
  }

  #changeOf(seen: Seen, key: string, nowMs: number): ChangeToTell {
    const { id, status: to, from, reason, row } = seen;
    const told = this.#tidings.told.get(this.hook.name, id);
    return {
      key,
      id,
      address: row?.address ?? "",
      tags: readAbout(row?.about).tags,
      from: told !== undefined && TROUBLES.has(told.to) ? told.to : from,
      to,
      reason,
      ageMs: Math.max(0, nowMs - (this.#wanted.get(id)?.sinceMs ?? seen.atMs)),
    };
  }

  /** Changes whose time has come and that are not told, and how long the oldest has waited, in ms. */
  pending(nowMs: number): { pending: number; oldestPendingMs: number } {
    const waits = Array.from(this.#wanted, ([id, wanted]) => nowMs - this.#readyMs(id, wanted))
      .filter((waitMs) => waitMs >= 0);
    return { pending: waits.length, oldestPendingMs: Math.max(0, ...waits) };
  }
}

/** Of one change its key; of many a name of them all, whatever their order. */
function keyOfAll(changes: readonly ChangeToTell[]): string {
  if (changes.length === 1) return changes[0]!.key;
  const keys = changes.map(({ key }) => key).sort().join(" ");
  return `${changes.length}/${hex8(hashOf(keys))}`;
}
