import type { Row, Status } from "../../lib/table.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import type { OurNode } from "./our_node.ts";
import { TellingRules } from "./telling_rules.ts";
import { Truth, WITNESSES } from "./truth.ts";
import type { World } from "./world.ts";

/** How far a monotonic clock may be off: the drawn clocks stay below it (see plan.ts). */
export const CLOCK_SHARE_MAX = 0.005;

/** A refusal counts against heartbeats made up to so much later (see charges.ts), and a step of the stamp. */
const CHARGE_SLACK_MS = 600;

/** What nobody may say of a member that runs and is connected. */
const SICK: ReadonlySet<Status> = new Set<Status>(["dead", "unresponsive"]);

/** The longest sleep that a plan draws. */
const STALL_MAX_MS = 20_000;

/** A status that is told one round late is none that was never told. */
const SETTLED_INTERVALS = 3;

/** A row whose heartbeat is this much older by one account than by the other is no matter of rounding. */
const AGE_SLACK_MS = 5;

/** A broken invariant, by its number in lib/PROTOCOL.md. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: string;
  readonly atMs: number;

  constructor(invariant: string, text: string, atMs: number) {
    super(`${(atMs / 1000).toFixed(2)} s: ${text}`);
    this.invariant = invariant;
    this.atMs = atMs;
  }
}

interface Seen {
  readonly heartbeats: Map<string, number>;
  readonly tombstones: Set<string>;
  readonly told: Map<string, { status: string; sinceMs: number }>;
  /** By ID the process and the last heartbeat of whom it showed dead. */
  readonly dead: Map<string, string>;
  /** Heartbeats of forgotten members, which may not come back. */
  readonly forgotten: Map<string, number>;
}

/** Checks every step of every node against the truth. */
export class Invariants {
  readonly truth: Truth;
  readonly tellings: TellingRules;
  readonly #world: World;
  readonly #seen = new WeakMap<OurNode, Seen>();
  /** Live members shown dead where that is only counted: in weather too rough to forbid it. */
  falseDead = 0;

  constructor(world: World) {
    this.#world = world;
    this.truth = new Truth(world);
    const fail = (invariant: string, text: string) => this.#fail(invariant, text);
    this.tellings = new TellingRules(world, this.truth, fail);
    world.onStep = (node) => this.#check(node);
    world.onChange = (node, change) => this.#checkChange(node, change);
    world.onForgotten = (node, id) => this.#checkForgotten(node, id);
    world.onBug = (node, rule) => this.#fail("BUG", `${node.id} breaks a rule: ${rule}`);
    world.onRefused = (node, address) => this.truth.noteRefused(node, address);
    world.onAnswered = (node, address) => this.truth.noteAnswered(node, address);
  }

  #seenBy(node: OurNode): Seen {
    let seen = this.#seen.get(node);
    if (seen === undefined) {
      // A tombstone outlives its node where that keeps a state file.
      const tombstones = new Set(node.saved?.tombstones.map(({ id }) => id));
      seen = {
        heartbeats: new Map(),
        tombstones,
        told: new Map(),
        dead: new Map(),
        forgotten: new Map(),
      };
      this.#seen.set(node, seen);
    }
    return seen;
  }

  #check(node: OurNode): void {
    const { replica } = node.gossip;
    this.truth.notePace(node);
    const seen = this.#seenBy(node);
    for (const row of replica.table.roster()) this.#checkRow(node, row, seen);
    // A program before this one does not tell.
    for (const id of replica.evidence.members?.() ?? []) {
      if (replica.table.get(id) !== undefined) continue;
      this.#fail("7", `${node.id} keeps evidence about ${id}, which is not in its table`);
    }
    this.#checkTombstones(node, seen);
    this.tellings.noteStep(node);
  }

  #checkRow(node: OurNode, row: Row, seen: Seen): void {
    const { id, heartbeat } = row;
    const before = seen.heartbeats.get(id) ?? 0;
    if (heartbeat < before) {
      this.#fail("2", `${node.id} took ${id}'s heartbeat back from ${before} to ${heartbeat}`);
    }
    if (heartbeat <= (seen.forgotten.get(id) ?? -1)) {
      this.#fail("11", `${node.id} took ${id} back, with a heartbeat that it forgot`);
    }
    if (heartbeat === 0) return;
    if (heartbeat > before) {
      seen.heartbeats.set(id, heartbeat);
      if (id === node.id) this.truth.noteMade(id, heartbeat);
      this.truth.noteIntroduced(node, id, row.boot);
    }
    this.#checkAge(node, row);
    if (id === node.id) return;
    this.#checkUnresponsive(node, row);
    // Who did not run itself needs time to hear who came back meanwhile.
    if (SICK.has(node.gossip.statusOf(row)) && row.left === "") {
      const { longestIntervalMs, deadAfterMs } = node.pace;
      const windowMs = deadAfterMs + 12 * longestIntervalMs;
      const sinceMs = this.#world.nowMs - windowMs;
      const calm = this.#world.network.calmSinceMs <= sinceMs;
      if (calm && node.healthySinceMs <= sinceMs) this.#checkFalseDead(node, row, windowMs);
    }
  }

  /** Nobody is unresponsive for long whose host accepts no connections: not past the evidence's lapse and its way. */
  #checkUnresponsive(node: OurNode, row: Row): void {
    if (node.gossip.statusOf(row) !== "unresponsive") return;
    const { nowMs, network } = this.#world;
    const { longestIntervalMs: intervalMs, deadAfterMs } = node.pace;
    const ageMs = node.gossip.nowMs - row.heardAtMs;
    const isStarved = node.gossip.replica.evidence.slow.isStarved(row.id);
    // Who starved and beat again is waited for as any slow member is.
    const waitMs = isStarved ? silenceMs(node, row, deadAfterMs) : 0;
    const lapseMs = Math.max(2 * deadAfterMs, ageMs / 4, waitMs) + 2 * intervalMs +
      network.latestMs;
    const acceptedMs = network.acceptedMs.get(row.address) ?? -Infinity;
    // A heartbeat that only a former life knew is dated by that life's next start (former.ts): the stamps of evidence,
    // which are dated by it, lapse later by as much.
    const madeMs = this.truth.made(row.id, row.heartbeat)?.lastMs ?? nowMs;
    const youngerMs = Math.max(0, nowMs - madeMs - ageMs);
    const existedMs = isStarved ? Math.max(acceptedMs, madeMs) : acceptedMs;
    if (nowMs - existedMs <= lapseMs * (1 + CLOCK_SHARE_MAX) + youngerMs) return;
    // Who slept may tell a heartbeat that it held meanwhile, with too low an age: evidence, a stamp by ages that went on,
    // then lasts longer by that sleep, and by the rest after it.
    const sleptMs = STALL_MAX_MS + intervalMs;
    if (nowMs <= this.truth.allWellSinceMs() + lapseMs + sleptMs) return;
    const text = `${node.id} shows ${row.id} unresponsive, whose host has accepted no connection ` +
      `for ${s(nowMs - acceptedMs)}`;
    this.#fail("5 (unresponsive only while a host accepts)", text);
  }

  #checkAge(node: OurNode, row: Row): void {
    const { nowMs, network } = this.#world;
    const { slowestMs } = this.truth;
    const ageMs = node.gossip.nowMs - row.heardAtMs;
    // A Go node's heartbeats are made by who hears it.
    if (row.boot === "" && ageMs === 0) this.truth.noteMade(row.id, row.heartbeat);
    const made = this.truth.made(row.id, row.heartbeat);
    if (made === undefined) {
      return this.#fail("2", `${node.id} holds a heartbeat of ${row.id} that was never made`);
    }
    const trueAgeMs = nowMs - made.firstMs;
    // A heartbeat looks as old as its tick, by a clock that is known to within 0.3 ticks (forms.ts).
    const stepMs = this.#world.options.fineMembersMax === undefined ? 0 : 1.3 * slowestMs;
    if (ageMs > trueAgeMs * (1 + CLOCK_SHARE_MAX) + AGE_SLACK_MS + stepMs) {
      const text = `${node.id} counts ${s(ageMs)} since ${row.id}'s heartbeat, made ${
        s(trueAgeMs)
      } ago`;
      this.#fail("4 (ages are never too high)", text);
    }
    const madeMs = Math.max(made.lastMs, this.#recalledByMs(row));
    const sinceMs = nowMs - madeMs;
    const lostMs = 2 * slowestMs + network.latestMs + this.#aheadMs(row);
    // Past dead-after the age decides nothing more: what a former life remembered counts from this one's start.
    const tooLow = ageMs <= node.pace.deadAfterMs &&
      ageMs < sinceMs * (1 - CLOCK_SHARE_MAX) - lostMs;
    if (tooLow && madeMs > this.truth.allWellSinceMs()) {
      const text = `${node.id} counts ${s(ageMs)} since ${row.id}'s heartbeat, made ${
        s(sinceMs)
      } ago`;
      this.#fail("5 (ages are never two intervals too low)", text);
    }
    this.#checkDeadInTime(node, row, madeMs);
  }

  /**
   * When the last process started that remembered this very heartbeat: from then on it is counted. Such a row is dead
   * when it is recalled, and looks live to a node that never knew it only where the pace grows at that time.
   */
  #recalledByMs(row: Row): number {
    if (this.truth.stretch === 1) return -Infinity;
    const recalling = this.#world.everyone.filter(({ saved, gossip }) =>
      saved !== undefined && gossip.replica.former.holds(row)
    );
    return Math.max(-Infinity, ...recalling.map(({ startMs }) => startMs));
  }

  /** Who made no heartbeat for dead-after and two intervals is not live, unless somebody's stall excuses it. */
  #checkDeadInTime(node: OurNode, row: Row, madeMs: number): void {
    const { nowMs, network } = this.#world;
    const { longestIntervalMs, deadAfterMs } = node.pace;
    const boundMs =
      (silenceMs(node, row, deadAfterMs) + 2 * longestIntervalMs) * (1 + CLOCK_SHARE_MAX) +
      network.latestMs + this.#aheadMs(row);
    if (nowMs <= madeMs + boundMs || row.id === node.id) return;
    if (nowMs <= this.truth.allWellSinceMs() + boundMs) return;
    if (node.gossip.statusOf(row) !== "live") return;
    const text = `${node.id} shows ${row.id} live, ${s(nowMs - madeMs)} after its last heartbeat`;
    this.#fail("5", text);
  }

  /** How much too low ages may be where ticks date heartbeats by a clock that leapt: by what can be read as a tick. */
  #aheadMs(row: Row): number {
    const { fineMembersMax } = this.#world.options;
    const runsAhead = this.#world.everyone.some(({ id, clock }) =>
      id === row.id && clock.runsAhead
    );
    return fineMembersMax !== undefined && runsAhead ? 5.2 * this.truth.slowestMs : 0;
  }

  #checkFalseDead(node: OurNode, row: Row, windowMs: number): void {
    const { nowMs } = this.#world;
    if (!this.truth.mustShowLive(node, row, nowMs - windowMs)) return;
    if (this.#world.network.calmSinceMs > nowMs - windowMs) {
      this.falseDead++;
      return;
    }
    const status = node.gossip.statusOf(row);
    const text = `${node.id} shows ${row.id} ${status}, which has run and been connected for ${
      s(windowMs)
    }`;
    this.#fail("4", text);
  }

  #checkChange(node: OurNode, change: StatusChange): void {
    this.tellings.noteChange(node, change);
    const { told } = this.#seenBy(node);
    const before = told.get(change.id)?.status ?? null;
    if (change.from !== before) {
      this.#fail(
        "told",
        `${node.id} told of ${change.id} ${before}, then a change from ${change.from}`,
      );
    }
    const { dead } = this.#seenBy(node);
    const known = node.gossip.replica.table.get(change.id);
    const deadAt = `${known?.boot} ${known?.heartbeat}`;
    const isSlow = known !== undefined && node.gossip.replica.evidence.slow.gapMs(known) > 0;
    const isBack = change.from === "dead" && change.to === "live";
    // Who says that it is slow may be waited for before its heartbeat can be read.
    if (isBack && !isSlow && dead.get(change.id) === deadAt) {
      this.#fail("4 (only a heartbeat brings back)", `${node.id} shows ${change.id} live again`);
    }
    // Of charges a node may come to want more witnesses.
    if (change.to === "dead" && change.reason.startsWith("no heartbeat")) {
      dead.set(change.id, deadAt);
    }
    told.set(change.id, { status: change.to, sinceMs: this.#world.nowMs });
    if (!SICK.has(change.to) || change.from !== "live") return;
    const row = node.gossip.replica.table.get(change.id);
    // Who says that its program ended is dead by its own word.
    if (row === undefined || row.left !== "") return;
    const { longestIntervalMs, deadAfterMs } = node.pace;
    this.#checkFalseDead(node, row, deadAfterMs + 2 * longestIntervalMs);
    if (change.to === "dead") this.#checkEarly(node, row, told);
  }

  /** Once all is healed: what a node told of a member last is what it shows, and all that is due was told. */
  settle(): void {
    const untold = this.#untold();
    this.#world.run(this.#world.nowMs + SETTLED_INTERVALS * this.truth.slowestMs);
    const stays = this.#untold().find((text) => untold.includes(text));
    if (stays !== undefined) this.#fail("told", stays);
    this.tellings.settle();
  }

  #untold(): string[] {
    return this.#world.up().flatMap((node) => {
      const { told } = this.#seenBy(node);
      return node.gossip.replica.table.roster().flatMap((row) => {
        const [last, shown] = [told.get(row.id)?.status, node.gossip.statusOf(row)];
        return last === shown
          ? []
          : [`${node.id} shows ${row.id} ${shown}, and told of it ${last}`];
      });
    });
  }

  /** Forgotten is only who does not run, or not connected; and a new start begins its story anew. */
  #checkForgotten(node: OurNode, id: string): void {
    const seen = this.#seenBy(node);
    seen.told.delete(id);
    seen.forgotten.set(id, seen.heartbeats.get(id) ?? 0);
    if (id === node.id) this.#fail("11", `${id} forgot itself`);
  }

  /** Before dead-after only so many witnesses can tell. */
  #checkEarly(node: OurNode, row: Row, told: Seen["told"]): void {
    const { nowMs } = this.#world;
    const { longestIntervalMs: intervalMs, deadAfterMs } = node.pace;
    const madeMs = this.truth.made(row.id, row.heartbeat)?.firstMs ?? nowMs;
    if (nowMs - madeMs >= deadAfterMs * (1 - CLOCK_SHARE_MAX)) return;
    const others =
      [...told].filter(([id, { status, sinceMs }]) =>
        id !== row.id && id !== node.id && status === "live" && sinceMs < nowMs - intervalMs
      ).length;
    const needed = Math.min(WITNESSES, others);
    const refused = this.truth.refusedSince(row.id, madeMs - CHARGE_SLACK_MS);
    if (refused >= needed) return;
    const text = `${node.id} shows ${row.id} dead ${s(nowMs - madeMs)} after its heartbeat, ` +
      `with ${refused} of ${needed} nodes refused since`;
    this.#fail("5 (early only on evidence)", text);
  }

  #checkTombstones(node: OurNode, seen: Seen): void {
    const { table } = node.gossip.replica;
    if (table.tombstoneCount !== seen.tombstones.size) {
      for (const { id } of table.tombstones()) seen.tombstones.add(id);
    }
    for (const id of seen.tombstones) {
      if (table.tombstone(id) === undefined || table.get(id) !== undefined) {
        this.#fail("3", `${node.id} undid the tombstone of ${id}`);
      }
    }
  }

  #fail(invariant: string, text: string): never {
    throw new Violation(invariant, text, this.#world.nowMs);
  }
}

function s(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/**
 * How long a member may be silent at `node`: who said that its rounds come late, for twice the greatest gap, six
 * dead-afters at most. Where heartbeats are whole intervals, they look up to one older than they are.
 */
export function silenceMs(node: OurNode, row: Row, deadAfterMs: number): number {
  const gapMs = node.gossip.replica.evidence.slow.gapMs(row);
  const stepMs = node.gossip.replica.unitMs === undefined ? 0 : node.pace.longestIntervalMs;
  return Math.max(deadAfterMs, Math.min(2 * gapMs, 6 * deadAfterMs)) + stepMs;
}
