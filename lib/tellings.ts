/**
 * Told once: of each change that lasts, one of the living nodes that carry a hook tells its users, and no other does.
 *
 *     a change        lasts for -tell-after, waits half a second for others, is told by whose turn it is
 *     done            becomes known to all nodes (told.ts); who comes late has nothing to tell
 *     failed          the turn passes to the next, after a while that all know (turns.ts)
 *     back again      is told once, where trouble was told
 *     a start         tells nothing until this node has seen who runs; nor does a node that is cut off
 *     quiet           holds until its end, and then tells what still lasts
 *
 * @module
 */
import { Carriers } from "./carriers.ts";
import { type CutOff, cutOffChange } from "./cut_off.ts";
import { Duty } from "./duty.ts";
import type { Turn } from "./effects.ts";
import type { Telling } from "./hook.ts";
import { Listening } from "./listening.ts";
import { isMissed } from "./missed.ts";
import type { Seen } from "./naming.ts";
import type { GossipOptions } from "./options.ts";
import type { Replica } from "./replica.ts";
import type { Rounds } from "./rounds.ts";
import { resultOf } from "./tidings_wire.ts";
import type { Told } from "./told.ts";
import { backOffMs, placeOf } from "./turns.ts";
import type { StatusChange } from "./verdicts.ts";

/** What is kept of members that nobody knows any more is dropped once it is so much more than the table. */
const SPARE_MEMBERS = 256;

/** What the metrics show of a hook. */
export interface TellingCounts {
  /** Messages that this node told. */
  readonly told: number;
  /** Its attempts that failed. */
  readonly failed: number;
  /** Changes that are due and not told. */
  readonly pending: number;
  readonly oldestPendingMs: number;
}

type TellingsOptions = Pick<
  GossipOptions,
  "id" | "address" | "boot" | "hooks" | "tellAfterMs" | "told"
>;

export class Tellings {
  readonly #options: TellingsOptions;
  readonly #replica: Replica;
  readonly #rounds: Rounds;
  readonly #carriers: Carriers;
  readonly #listening: Listening;
  readonly #duties: readonly Duty[];
  readonly #seen = new Map<string, Seen>();
  /** Members to look at anew. */
  readonly #touched = new Set<string>();
  #isBaselined = false;
  /** Hooks that were told that this node is cut off. */
  readonly #cutOffTold = new Set<Duty>();
  #nowMs = 0;
  #nextMs = Infinity;

  constructor(options: TellingsOptions, { replica, rounds }: { replica: Replica; rounds: Rounds }) {
    const { hooks = [], tellAfterMs = 0, told = [] } = options;
    this.#options = options;
    this.#replica = replica;
    this.#rounds = rounds;
    this.#carriers = new Carriers(replica);
    this.#listening = new Listening(replica);
    const { tidings } = replica;
    const seen = this.#seen;
    this.#duties = hooks.map((hook) => new Duty({ hook, tidings, seen, tellAfterMs }));
    for (const each of told) tidings.told.merge(each, 0);
  }

  get cutOff(): CutOff {
    return this.#listening.cutOff;
  }

  /** The running time by which there is something to tell. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** What was told, as far as this node knows: all that a state file needs. */
  remembered(nowMs: number): Told[] {
    return this.#replica.tidings.told.all(nowMs);
  }

  /** By hook, what the metrics show. */
  get counts(): ReadonlyMap<string, TellingCounts> {
    return new Map(this.#duties.map((duty) => {
      return [duty.hook.name, { ...duty.counts, ...duty.pending(this.#nowMs) }];
    }));
  }

  /** Takes a member's change. */
  changed({ id, from, to, reason }: StatusChange, nowMs: number): void {
    if (this.#duties.length === 0) return;
    const row = this.#replica.table.get(id) ?? this.#seen.get(id)?.row;
    if (row !== undefined) this.#carriers.note(row, nowMs);
    if (from === to) return;
    this.#seen.set(id, { id, row, status: to, from: from ?? undefined, reason, atMs: nowMs });
    this.#touched.add(id);
  }

  /** Tells what is due, and what others told. `joined`: this node has met another, or has none to meet. */
  act(turn: Turn, joined: boolean): void {
    const { nowMs } = turn;
    this.#nowMs = nowMs;
    for (const told of this.#replica.tidings.told.learned.splice(0)) {
      turn.effects.push({ kind: "told", told });
      if (this.#duties.length > 0) this.#touched.add(told.id);
    }
    this.#nextMs = Infinity;
    if (this.#duties.length === 0 || !this.#listening.look(nowMs, joined)) return;
    const { untilMs, cutOffAt } = this.#listening;
    if (!this.#isBaselined) {
      if (nowMs < untilMs) return;
      // Who hears nobody does not see who runs.
      if (!this.cutOff.inDoubt(nowMs)) this.#baseline(nowMs);
    }
    if (this.#isBaselined) this.#judge(nowMs);
    if (cutOffAt === undefined) this.#cutOffTold.clear();
    else this.#tellCutOff(turn, cutOffAt);
    for (const duty of this.#duties) this.#attend(turn, duty);
  }

  /** Looks at those that changed. */
  #judge(nowMs: number): void {
    for (const id of this.#touched) {
      const seen = this.#seen.get(id);
      if (seen !== undefined) { for (const duty of this.#duties) duty.judge(seen, nowMs); }
    }
    this.#touched.clear();
  }

  /** Passes a round: drops what is kept of members that are gone from the table. */
  expire(): void {
    const { table } = this.#replica;
    if (this.#seen.size <= 2 * table.roster().length + table.tombstoneCount + SPARE_MEMBERS) return;
    const isKnown = (id: string) =>
      table.get(id) !== undefined || table.tombstone(id) !== undefined;
    for (const id of this.#seen.keys()) if (!isKnown(id)) this.#seen.delete(id);
    for (const each of [this.#carriers, ...this.#duties]) each.keepOnly(isKnown);
  }

  /** Takes all as known, once this node has seen who runs: others tell what changed before, but for what is missed. */
  #baseline(nowMs: number): void {
    this.#isBaselined = true;
    const { tellAfterMs = 0 } = this.#options;
    for (const duty of this.#duties) {
      const isAlone = this.#carriers.of(duty.hook.name, nowMs).length === 1;
      const missing = { replica: this.#replica, nowMs, tellAfterMs, isAlone };
      for (const seen of this.#seen.values()) {
        if (!duty.minds(seen) || !isMissed(seen, missing)) duty.know(seen);
        this.#touched.add(seen.id);
      }
    }
  }

  /** Tells what one hook has to tell, if it is this node's turn, or notes when it will be. */
  #attend(turn: Turn, duty: Duty): void {
    const { nowMs } = turn;
    if (duty.isIdle || duty.underWay !== undefined) return;
    const isMute = nowMs < this.#listening.untilMs || this.cutOff.inDoubt(nowMs);
    const untilMs = isMute
      ? this.#listening.untilMs
      : this.#replica.tidings.quiets.nextEndMs(nowMs);
    if (untilMs > nowMs) this.#nextMs = Math.min(this.#nextMs, untilMs);
    const due = duty.due(nowMs, isMute);
    if (due === undefined) return;
    // Before that it is nobody's turn, and to find the carriers takes a look at all members: a change may wait an hour.
    if (due.dueMs > nowMs) return void (this.#nextMs = Math.min(this.#nextMs, due.dueMs));
    const place = placeOf({
      hook: duty.hook.name,
      id: this.#options.id,
      dueMs: due.dueMs,
      carriers: this.#carriers.of(duty.hook.name, nowMs),
      isNew: (id) => this.#carriers.isNew(id, nowMs),
      ranAt: (id, atMs) => this.#carriers.ranAt(id, atMs),
      attempt: this.#replica.tidings.tries.get(duty.hook.name),
    });
    const atMs = duty.queue.atMs(place, nowMs);
    if (atMs > nowMs) this.#nextMs = Math.min(this.#nextMs, atMs);
    else this.#begin(turn, duty, duty.begin(due.ids, nowMs));
  }

  #begin(turn: Turn, duty: Duty, telling: Telling): void {
    const { tries } = this.#replica.tidings;
    tries.say(duty.hook.name, this.#options.id, "trying", turn.nowMs);
    // Who is next must know of it within two seconds.
    this.#rounds.hurry(turn.now.monotonicMs);
    turn.effects.push({ kind: "tell", telling });
  }

  /** Tells that this node is cut off, once, where a hook asks for it. */
  #tellCutOff(turn: Turn, atHeartbeat: number): void {
    const { id } = this.#options;
    const change = cutOffChange(this.#options, this.#replica.table.get(id), atHeartbeat);
    for (const duty of this.#duties) {
      const attempt = this.#replica.tidings.tries.get(duty.hook.name);
      const isResting = attempt?.by === id && attempt.state === "failed" &&
        turn.nowMs < attempt.atMs + backOffMs(attempt.failures);
      const isTold = this.#cutOffTold.has(duty);
      if (!duty.hook.cutOff || isTold || isResting || duty.underWay !== undefined) continue;
      this.#begin(turn, duty, duty.beginCutOff(change));
    }
  }

  /** Takes what became of a telling; false if it was not under way. */
  ended(
    turn: Turn,
    telling: Telling,
    { outcome, result }: { outcome: "done" | "failed"; result: string },
  ): boolean {
    const duty = this.#duties.find(({ underWay }) =>
      underWay?.hook === telling.hook && underWay.key === telling.key
    );
    if (duty === undefined) return false;
    const { told, tries } = this.#replica.tidings;
    const { id: by } = this.#options;
    if (outcome === "done" && duty.underWay!.changes[0]?.to === "cut-off") {
      this.#cutOffTold.add(duty);
    }
    const names = duty.end(outcome);
    tries.say(duty.hook.name, by, outcome, turn.nowMs);
    this.#rounds.hurry(turn.now.monotonicMs);
    for (const name of names) {
      const said = {
        ...told.afresh(duty.hook.name, name),
        hook: duty.hook.name,
        by,
        ageMs: turn.nowMs - duty.beganMs,
        together: names.length,
        result: resultOf(result),
      };
      if (told.merge(said, turn.nowMs)) told.learned.push(said);
    }
    return true;
  }
}
