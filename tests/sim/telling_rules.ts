/**
 * Invariant 12: of each change that lasts, the users of a hook are told once.
 *
 *     always     only what is so, and lasted; nothing after a start, nothing that is to be quiet; one key for one change
 *     in calm    nobody tells what another told, or tells now
 *     at the end all that still lasts was told, and who was told of trouble that is over was told that, too
 *
 * @module
 */
import type { ChangeToTell } from "../../lib/hook.ts";
import type { Status } from "../../lib/table.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import type { Attempt, HookPlan, Receiver } from "./hooks.ts";
import type { OurNode } from "./our_node.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

/** Clocks are off by less (see invariants.ts). */
const CLOCK_SHARE_MAX = 0.005;

/** Calm for so long, news goes round in well below two seconds. */
const CALM_MS = 15_000;

/** From the end of all faults on by which all is told: the longest back-off, and an attempt on either side of it. */
const TOLD_IN_MS = 45_000;

/** What each carrier may have to wait for those before it. */
const TURN_MS = 2_000;

const SILENCES: readonly Status[] = ["unresponsive", "dead"];
const TROUBLES: ReadonlySet<Status> = new Set<Status>([...SILENCES, "failing", "left"]);

/** A member as one node's story has it. */
interface View {
  readonly status: Status;
  readonly sinceMs: number;
  /** The same on the node's own running clock. */
  readonly sinceRunMs: number;
  /** When it was first shown failing, on the same clock. */
  readonly failedRunMs: number | undefined;
  /** Since when it has been anything but live. */
  readonly troubledSinceMs: number;
}

export class TellingRules {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #fail: (invariant: string, text: string) => never;
  readonly #views = new WeakMap<OurNode, Map<string, View>>();
  /** By its own running clock, when it had met another. */
  readonly #joinedMs = new WeakMap<OurNode, number>();

  constructor(world: World, truth: Truth, fail: (invariant: string, text: string) => never) {
    this.#world = world;
    this.#truth = truth;
    this.#fail = fail;
    world.onTell = (attempt, receiver) => this.#check(attempt, receiver);
  }

  /** Takes down what a node shows from now on. */
  noteChange(node: OurNode, { id, to }: StatusChange): void {
    const views = this.#viewsOf(node);
    const before = views.get(id);
    const { nowMs } = this.#world;
    const isTroubled = before !== undefined && before.status !== "live";
    const isSame = before?.status === to;
    views.set(id, {
      status: to,
      sinceMs: isSame ? before.sinceMs : nowMs,
      sinceRunMs: isSame ? before.sinceRunMs : node.gossip.nowMs,
      failedRunMs: before?.failedRunMs ?? (to === "failing" ? node.gossip.nowMs : undefined),
      troubledSinceMs: isTroubled ? before.troubledSinceMs : nowMs,
    });
  }

  noteStep(node: OurNode): void {
    if (this.#joinedMs.has(node) || !node.gossip.joined) return;
    this.#joinedMs.set(node, node.gossip.nowMs);
  }

  #viewsOf(node: OurNode): Map<string, View> {
    let views = this.#views.get(node);
    if (views === undefined) this.#views.set(node, views = new Map());
    return views;
  }

  /** How long a node listens before it tells, in true ms at least; at the slowest pace so far `stretch` times that. */
  get #settleMs(): number {
    const { deadAfterMs, intervalMs } = this.#world.options;
    return deadAfterMs + 2 * intervalMs;
  }

  #check(attempt: Attempt, receiver: Receiver): void {
    const { by: node, telling } = attempt;
    const { nowMs } = this.#world;
    const sayer = `${node.id} tells ${telling.hook}`;
    if (nowMs < node.startMs + this.#settleMs * (1 - CLOCK_SHARE_MAX)) {
      this.#fail(
        "12 (a start tells nothing)",
        `${sayer} ${s(nowMs - node.startMs)} after it started`,
      );
    }
    for (const other of receiver.attempts) {
      if (other === attempt || other.by !== node || other.endedMs < Infinity) continue;
      this.#fail("12 (one at a time)", `${sayer} while it does so already`);
    }
    for (const change of telling.changes) {
      if (change.to === "cut-off") continue;
      this.#checkSo(node, change, sayer);
      this.#checkKey(attempt, change, receiver);
      this.#checkOnce(attempt, change, receiver);
    }
  }

  /** Only what is so is told, only after it lasted, and only what is not to be quiet. */
  #checkSo(node: OurNode, { id, to }: ChangeToTell, sayer: string): void {
    const { nowMs, options: { tellAfterMs = 0 } } = this.#world;
    const view = this.#viewsOf(node).get(id);
    if (view?.status !== to) {
      this.#fail("12 (what is so)", `${sayer} that ${id} is ${to}, which is ${view?.status}`);
    }
    const lastedMs = nowMs - (to === "live" ? view.sinceMs : view.troubledSinceMs);
    const isAtOnce = to === "left" || to === "decommissioned";
    if (!isAtOnce && lastedMs < tellAfterMs * (1 - CLOCK_SHARE_MAX)) {
      this.#fail("12 (what lasts)", `${sayer} that ${id} is ${to}, for ${s(lastedMs)}`);
    }
    const { gossip } = node;
    if (gossip.replica.tidings.quiets.of(id, gossip.nowMs) !== undefined) {
      this.#fail("12 (quiet)", `${sayer} of ${id}, which is to be quiet`);
    }
  }

  /** What two tell of one silence, by the same heartbeat, has one key; and so have messages of the same changes. */
  #checkKey(attempt: Attempt, { id, to, key }: ChangeToTell, receiver: Receiver): void {
    const keysOf = ({ telling }: Attempt) => telling.changes.map((each) => each.key).sort().join();
    for (const other of receiver.attempts) {
      if (other === attempt) continue;
      if (keysOf(other) === keysOf(attempt) && other.telling.key !== attempt.telling.key) {
        const [before, now] = [other.telling.key, attempt.telling.key];
        this.#fail("12 (one key)", `the same changes were told as ${before}, and now as ${now}`);
      }
      const same = other.telling.changes.find((each) => each.id === id && each.to === to);
      const isOneSilence = SILENCES.includes(to as Status) &&
        other.heartbeats.get(id) === attempt.heartbeats.get(id);
      if (same === undefined || !isOneSilence || same.key === key) continue;
      this.#fail("12 (one key)", `that ${id} is ${to} was told as ${same.key}, and now as ${key}`);
    }
  }

  /** In calm nobody tells what another told, or tells now. */
  #checkOnce(attempt: Attempt, { key, id, to }: ChangeToTell, receiver: Receiver): void {
    const { by: node, beganMs } = attempt;
    for (const other of receiver.attempts) {
      if (other === attempt || other.outcome === "failed") continue;
      if (!other.telling.changes.some((change) => change.key === key)) continue;
      if (!this.#areCalm(node, other.by, other.beganMs - CALM_MS)) continue;
      const text = `${node.id} tells that ${id} is ${to}, as ${other.by.id} ` +
        (other.outcome === "done"
          ? `did ${s(beganMs - other.endedMs)} ago`
          : `began ${s(beganMs - other.beganMs)} ago`);
      this.#fail("12 (told once)", text);
    }
  }

  /** Whether two nodes ran, knew each other and had a network without faults, and all others too, since `sinceMs`. */
  #areCalm(a: OurNode, b: OurNode, sinceMs: number): boolean {
    const { network, options: { weather } } = this.#world;
    if (weather.lostShare > 0 || weather.lateShare > 0) return false;
    if (network.calmSinceMs > sinceMs) return false;
    const up = this.#world.up();
    if (!up.includes(a) || !up.includes(b)) return false;
    if (up.some((node) => node.healthySinceMs > sinceMs)) return false;
    const isGood = (from: OurNode, to: OurNode) =>
      network.links.callableSinceMs(from.address, to.address) <= sinceMs;
    if (!up.every((from) => up.every((to) => isGood(from, to)))) return false;
    const knows = (of: OurNode, id: string) => {
      const view = this.#viewsOf(of).get(id);
      return of.id === id || (view?.status === "live" && view.sinceMs <= sinceMs);
    };
    return knows(a, b.id) && knows(b, a.id);
  }

  /** Once all is healed: lets what is due be told, and checks that it was. */
  settle(): void {
    const world = this.#world;
    const { hooks = [], tellAfterMs = 0 } = world.options;
    if (hooks.length === 0) return;
    const carriers = Math.max(...hooks.map((hook) => hook.carriers.length));
    const patienceMs = TOLD_IN_MS + tellAfterMs + TURN_MS * carriers;
    world.run(world.nowMs + patienceMs);
    for (const hook of hooks) {
      for (const node of world.up().filter(({ id }) => hook.carriers.includes(id))) {
        this.#checkTold(node, hook, world.nowMs - patienceMs);
      }
    }
  }

  /** All that a carrier has seen since before `sinceMs` was told. */
  #checkTold(node: OurNode, hook: HookPlan, sinceMs: number): void {
    const listenedMs = (this.#joinedMs.get(node) ?? Infinity) +
      this.#truth.stretch * this.#settleMs + 2 * this.#truth.slowestMs;
    // Who slept before it had listened begins anew when it wakes.
    const restedMs = node.healthySinceMs > node.startMs
      ? node.healthySinceMs + this.#truth.stretch * this.#settleMs + 4 * this.#truth.slowestMs
      : -Infinity;
    const { delivered } = this.#world.receiver(hook.name);
    const { replica, nowMs } = node.gossip;
    // Who hears nobody, where it knew others, is cut off as far as it can tell.
    const views = this.#viewsOf(node);
    if (![...views].some(([id, { status }]) => id !== node.id && status === "live")) return;
    for (const [id, view] of views) {
      if (view.sinceMs > sinceMs || replica.tidings.quiets.of(id, nowMs) !== undefined) continue;
      const { status } = view;
      const of = (attempt: Attempt) => attempt.telling.changes.findLast((each) => each.id === id);
      // It may have been known to fail, and does so again.
      const isNew = view.sinceRunMs > listenedMs && view.sinceMs > restedMs &&
        (status !== "failing" || view.failedRunMs! > listenedMs);
      if (hook.statuses.includes(status) && status !== "live" && isNew) {
        const row = replica.table.get(id);
        const madeMs = row && this.#truth.made(id, row.heartbeat)?.firstMs;
        // Where it was shown silent before, as in a partition, it may have ended later, which is no news.
        const fromMs = Math.min(madeMs ?? 0, view.sinceMs);
        const isTold = delivered.some((attempt) => {
          const to = of(attempt)?.to as Status | undefined;
          if (to === undefined || (to === status && !SILENCES.includes(status))) {
            return to === status;
          }
          return attempt.deliveredMs! >= fromMs &&
            SILENCES.indexOf(to) >= SILENCES.indexOf(status);
        });
        if (!isTold) {
          const text = `${hook.name} was not told that ${id} is ${status}, as ${node.id} has ` +
            `known for ${s(this.#world.nowMs - view.sinceMs)}`;
          this.#fail("12 (all is told)", text);
        }
      }
      if (status === "live") this.#checkBack(node, hook, id);
    }
  }

  /** Who was told of a member's trouble last was told that it is over. */
  #checkBack(node: OurNode, hook: HookPlan, id: string): void {
    const { attempts, delivered } = this.#world.receiver(hook.name);
    const of = (attempt: Attempt) => attempt.telling.changes.findLast((each) => each.id === id);
    // What arrived and was not answered nobody can make up for.
    const last = delivered.findLast((attempt) =>
      attempt.outcome === "done" && of(attempt) !== undefined
    );
    const change = last && of(last);
    if (last === undefined || !TROUBLES.has(change!.to as Status)) return;
    // Known for sure to who told it. Two messages under way at once may arrive in either order.
    const isMine = attempts.some((attempt) =>
      attempt.by === node && attempt.outcome === "done" && of(attempt)?.key === change!.key
    );
    const isCrossed = delivered.some((attempt) =>
      of(attempt)?.to === "live" && attempt.deliveredMs! >= last.beganMs
    );
    if (!isMine || isCrossed) return;
    const sinceMs = this.#viewsOf(node).get(id)!.sinceMs;
    const text = `${hook.name} was told last that ${id} is ${change!.to}, which ${node.id} has ` +
      `shown live for ${s(this.#world.nowMs - sinceMs)}`;
    this.#fail("12 (all is told)", text);
  }
}

function s(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
