/**
 * This node's copy of the table with its own row in it, and how two copies are made equal.
 *
 * A push carries the columns in roster order, and only the latest news as rows. If the rosters are equal once the
 * news is merged, the columns can be read. The answer is made the same way. If the rosters still differ, the caller
 * sends all its rows in one more request, and the answer holds what those lack.
 *
 * @module
 */
import type { About } from "./about.ts";
import { type Beat, HEARSAY_MAX_MS, reachOf } from "./belief.ts";
import { type Charge, chargeUpTo } from "./charges.ts";
import { floorStep, type Moment, Pulse } from "./clock.ts";
import { composePush, fullDraft } from "./compose.ts";
import { Evidence } from "./evidence.ts";
import { Forgotten } from "./forgotten.ts";
import { FormerMembers } from "./former.ts";
import { type Form, Forms } from "./forms.ts";
import { News } from "./news.ts";
import type { ReplicaOptions } from "./options.ts";
import type { Pace } from "./pace.ts";
import { spreadIntervals } from "./partners.ts";
import { Gaps } from "./slow.ts";
import { Spread } from "./spread.ts";
import { ageOf, type Merged, type Report, type Row, Table } from "./table.ts";
import { Testimony } from "./testimony.ts";
import { Tidings } from "./tidings.ts";
import { Verdicts } from "./verdicts.ts";
import { FINE_MEMBERS_MAX } from "./ticks.ts";
import type { Draft, Message } from "./wire.ts";

/** How far past a heartbeat a charge can hold, in ms: dead-after is an hour at most, and then it is void. */
const CHARGE_AHEAD_MAX_MS = 3_600_000;

export class Replica {
  readonly id: string;
  readonly table: Table;
  readonly evidence: Evidence;
  readonly verdicts: Verdicts;
  readonly testimony: Testimony;
  /** How far decommissions got that a user of this node asked for. */
  readonly spread = new Spread();
  /** Members of a former life. */
  readonly former: FormerMembers;
  /** Marks of members that were dropped. */
  readonly forgotten: Forgotten;
  /** What nodes tell each other for the sake of hooks. */
  readonly tidings: Tidings;
  /** Who reads ticks. */
  readonly forms: Forms;
  /** This node's own heartbeat. */
  readonly pulse = new Pulse();
  /** Changes of the roster. */
  readonly news: News;
  /** How fast it beats, and how long it waits for others. */
  readonly pace: Pace;
  /** Of more members heartbeats travel as ticks. */
  readonly fineMembersMax: number;
  readonly #options: ReplicaOptions;
  readonly #gaps: Gaps;
  #left = "";
  #about: About | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { id, pace, clock } = options;
    this.id = id;
    this.pace = pace;
    this.fineMembersMax = options.fineMembersMax ?? FINE_MEMBERS_MAX;
    this.table = new Table({ silenceMs: (row) => this.evidence.silenceMs(row) });
    this.news = new News(pace);
    this.forms = new Forms(pace);
    const graceMs = (ms: number) => this.unitMs === undefined ? 0 : floorStep(ms);
    const spreadMs = () => graceMs(pace.longestIntervalMs) * spreadIntervals(this.table.size);
    this.evidence = new Evidence({ pace, graceMs, spreadMs });
    this.tidings = new Tidings(pace);
    this.#gaps = new Gaps(pace);
    const { table, evidence } = this;
    this.former = new FormerMembers((of, size) => pace.recallMs(evidence.silenceMs(of), size));
    const verdicts = this.verdicts = new Verdicts({ id, table, evidence, clock });
    const tell = (id: string, nowMs: number) => {
      this.#forgetDiscarded();
      this.news.note(id, nowMs);
    };
    this.forgotten = new Forgotten({ id, table, verdicts, pace, tell });
    const answer = (charge: Charge, nowMs: number) => this.#answer(charge, nowMs);
    this.testimony = new Testimony({ id, table, evidence, verdicts, answer });
  }

  /** Knows how long this node did not run, so that all clocks are that much further than it knows. */
  get clock() {
    return this.#options.clock;
  }

  /** The step of heartbeats in ms, in a cluster of so many that they travel as ticks. */
  get unitMs(): number | undefined {
    return this.table.size > this.fineMembersMax ? floorStep(this.pace.intervalMs) : undefined;
  }

  /** Ms until this node may stamp its next heartbeat. */
  stepInMs(nowMs: number): number {
    const { unitMs } = this;
    const own = this.table.get(this.id);
    if (unitMs === undefined || own === undefined) return 0;
    return unitMs - (own.heartbeat + ageOf(own, nowMs)) % unitMs;
  }

  /** Stamps this node's own heartbeat, unless the last one is too recent. */
  beat(now: Moment, nowMs: number): void {
    if (!this.pulse.beat(now, this.unitMs)) return;
    this.#mergeOwn(nowMs);
    if (this.table.get(this.id) === undefined) return; // Decommissioned, it says nothing of itself.
    this.#gaps.note(now.monotonicMs);
    const said = this.evidence.slow.own(this.id, this.#gaps.greatestMs, this.pulse.heartbeat);
    if (said !== undefined) this.evidence.slow.add(said, nowMs);
  }

  /** Announces a planned stop with a new heartbeat. */
  leave(reason: string, nowMs: number): void {
    this.#left = reason;
    this.jumpPast(this.pulse.heartbeat, nowMs);
  }

  /** Says something else of itself, with a new heartbeat; `undefined`: nothing. */
  say(about: About | undefined, now: Moment, nowMs: number): void {
    this.#about = about;
    const { heartbeat } = this.pulse;
    this.beat(now, nowMs);
    // A jump leaves the member's clock behind for others, on which charges rely: only where it is too soon for a beat.
    if (this.pulse.heartbeat === heartbeat) this.jumpPast(heartbeat, nowMs);
  }

  /** Jumps past `stamp`, which others hold against this node; not further than where others would believe it. */
  jumpPast(stamp: number, nowMs: number): void {
    const own = this.table.get(this.id);
    // Nobody believes anything of a member that was decommissioned.
    if (own === undefined || (stamp > HEARSAY_MAX_MS && stamp > reachOf(own, nowMs))) return;
    this.pulse.jumpPast(stamp, this.clock.monotonicMs);
    this.#mergeOwn(nowMs);
  }

  #mergeOwn(nowMs: number): void {
    const { id, address, boot } = this.#options;
    const { heartbeat } = this.pulse;
    // Tenths are as old as their making: so is what older programs tell.
    const ageMs = this.unitMs === undefined ? 0 : this.pulse.ageMs;
    const said = { left: this.#left, about: this.#about };
    this.merge({ id, address, boot, heartbeat, ageMs, ...said }, id, nowMs);
  }

  /** Puts the members of a former life into the table, when it is time (see former.ts). */
  recall(nowMs: number): void {
    const recalled = this.former.recall(nowMs, this.table.size);
    for (const { id, address, boot, heartbeat, beforeMs } of recalled) {
      if (beforeMs + nowMs >= this.pace.forgetMs) continue;
      // It runs again: where its clock was ahead in its former life, that heartbeat would win and show it dead.
      const row = this.table.get(id);
      if (row !== undefined && row.heartbeat > 0 && row.boot !== boot) continue;
      this.merge({ id, address, boot, heartbeat, ageMs: nowMs, left: "" }, this.id, nowMs);
    }
  }

  /** Decommissions `id`, as `by` asked; `isTold`: other nodes did so before. */
  bury(id: string, by: string, nowMs: number, isTold = false): Merged {
    const merged = this.table.bury(id, by, isTold ? nowMs : undefined);
    if (merged !== "changed") return merged;
    this.#forgetDiscarded();
    this.evidence.forget(id);
    this.verdicts.touchId(id, by);
    this.news.note(id, nowMs);
    return merged;
  }

  /** Composes a push. */
  draft(nowMs: number, form: Form = "columns"): Draft {
    return composePush(this, nowMs, form);
  }

  /** Composes all rows `within` a part of the roster that `theirs` lacks. */
  fullDraft(nowMs: number, of: { theirs?: Message; within?: (id: string) => boolean } = {}): Draft {
    return fullDraft(this, nowMs, { ...of, start: this.#options.random() });
  }

  /**
   * Jumps past a heartbeat of this node that it did not make: another process had its ID, the machine was put back to
   * a snapshot, or somebody lied. Past all that the claim's clock can show by now, as charges reach that far.
   */
  overtake({ heartbeat, ageMs }: Beat, nowMs: number): void {
    if (heartbeat <= this.pulse.heartbeat) return;
    const heardAtMs = nowMs - Math.min(ageMs, CHARGE_AHEAD_MAX_MS);
    this.jumpPast(chargeUpTo({ heartbeat, heardAtMs }, nowMs), nowMs);
  }

  /** A heartbeat beyond a charge clears this node everywhere; false if it made that before. */
  #answer(charge: Charge, nowMs: number): boolean {
    if (charge.upTo < this.pulse.heartbeat) return false;
    this.jumpPast(charge.upTo, nowMs);
    return true;
  }

  /** Merges a report; "changed" says that others should know at once. */
  merge(report: Report, via: string, nowMs: number): Merged {
    if (this.forgotten.refuses(report, nowMs)) return "same";
    const known = this.table.get(report.id);
    const restarted = known?.boot !== report.boot;
    this.evidence.hears(known, report, nowMs);
    if (known !== undefined && restarted) this.forms.forget(report.id);
    this.forms.dates(known, report, { nowMs, unitMs: this.unitMs });
    const merged = this.table.merge(report, nowMs);
    const row = this.table.get(report.id);
    if (row === undefined || merged === "same" || merged === "full") return merged;
    if (merged === "changed") {
      this.#forgetDiscarded();
      this.news.note(row.id, nowMs);
    }
    return this.#freshened(row, { via, restarted, nowMs }) ? "changed" : merged;
  }

  /** Takes a heartbeat of a member whose roster entry the teller shares; true if others should know at once. */
  refresh(row: Row, beat: Beat, at: { via: string; nowMs: number }): boolean {
    const { evidence } = this;
    if (evidence.isInQuestion(row.id)) evidence.hears(row, { ...beat, boot: row.boot }, at.nowMs);
    this.forms.dates(row, beat, { nowMs: at.nowMs, unitMs: this.unitMs });
    const merged = this.table.refresh(row, beat.heartbeat, at.nowMs - beat.ageMs);
    return merged === "fresher" && this.#freshened(row, { ...at, restarted: false });
  }

  /** Notes a later heartbeat; true if it clears the member of charges, which all should hear. */
  #freshened(row: Row, at: { via: string; restarted: boolean; nowMs: number }): boolean {
    this.verdicts.touch(row, at.via);
    const { charges } = this.evidence;
    return !charges.empty && charges.answer(
      row,
      { restarted: at.restarted, direct: at.via === row.id },
      at.nowMs,
    );
  }

  /** Forgets what else was kept of those that the table holds no more. */
  #forgetDiscarded(): void {
    for (const id of this.table.discarded.splice(0)) {
      this.evidence.forget(id);
      this.verdicts.forget(id);
      this.forms.forget(id);
      this.news.forget(id);
    }
  }
}
