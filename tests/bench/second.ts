/**
 * What a second costs a node among many members that are played: its round, the answers to its calls, and as many calls
 * of others. It is what the core takes; sockets and HTTP come on top (bench:http). Run by
 * `deno task bench:second [MEMBERS...]`.
 *
 * @module
 */
import { charCodeOf } from "../../lib/digits.ts";
import type { Effect } from "../../lib/effects.ts";
import { Gossip } from "../../lib/gossip.ts";
import { Stamps } from "../../lib/stamps.ts";
import { ageOf, type Mutable, type Report, type Row } from "../../lib/table.ts";
import { encodeTicks } from "../../lib/ticks.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { Dice } from "../support/dice.ts";
import { copyOf } from "../support/rows.ts";

const WALL_MS = 1_767_225_600_000;
const UNIT_MS = 1_000;

/** Calls of others in a second, evenly apart. */
const CALLS = 3;

/** By then nothing is news any more, and the code is compiled. */
const START_SECONDS = 20;

/** Seconds that are measured. */
const SECONDS = 60;

/** Heartbeats take from 0.3 to 2 s to get to whoever tells of them. */
const LAG_MS = { least: 300, most: 2_000 };

/** Says of six members that they read ticks. */
const READERS = String.fromCharCode(charCodeOf(63));

class Crowded {
  readonly #dice = new Dice("crowded");
  readonly #gossip: Gossip;
  /** The members as those see them who call this node or answer it, by address. */
  readonly #seen = new Map<string, Mutable<Row>>();
  readonly #rows: readonly Mutable<Row>[];
  #nowMs = 100_000;
  #isStarting = true;
  /** Time spent in the core so far. */
  spentMs = 0;

  constructor(members: number) {
    const random = () => this.#dice.next();
    const self = { id: "self", address: "self:1", boot: "0000abcd", seeds: [], random };
    const pace = { intervalMs: UNIT_MS, deadAfterMs: 5 * UNIT_MS };
    this.#gossip = new Gossip({ ...self, ...pace }, this.#moment());
    const rows = Array.from({ length: members }, (_, i): Report => {
      const id = `m${String(i).padStart(5, "0")}`;
      const heartbeat = WALL_MS + this.#nowMs - 2 * UNIT_MS;
      const ageMs = UNIT_MS + this.#dice.whole(0, UNIT_MS);
      return { id, address: `${id}:1`, boot: "0000ffff", heartbeat, ageMs, left: "" };
    });
    this.#receive(rows[0]!.id, encodeMessage({ roster: "0".repeat(16), rows, full: true }));
    this.#rows = this.#gossip.replica.table.roster().map(copyOf);
    for (const row of this.#rows) this.#seen.set(row.address, row);
    for (let i = 0; i < START_SECONDS; i++) this.second();
    this.#isStarting = false;
  }

  /** Lets a second pass. */
  second(): void {
    for (let call = 0; call < CALLS; call++) {
      this.#passUntil(this.#nowMs + UNIT_MS / CALLS);
      const caller = this.#dice.pick(this.#rows);
      if (caller.id !== "self") this.#receive(caller.id, this.#message(caller));
    }
  }

  #passUntil(untilMs: number): void {
    while (this.#gossip.nextWakeMs <= untilMs) {
      this.#nowMs = Math.max(this.#nowMs, this.#gossip.nextWakeMs);
      this.#answer(this.#timed(() => this.#gossip.wake(this.#moment())).effects);
    }
    this.#nowMs = untilMs;
  }

  #answer(effects: readonly Effect[]): void {
    const said = this.#gossip.replica.table.stamps().heartbeats.slice();
    for (const effect of effects) {
      if (effect.kind !== "exchange") continue;
      const body = this.#message(this.#seen.get(effect.to)!, said);
      const answered = () => this.#gossip.answered(this.#moment(), effect.to, body);
      this.#answer(this.#timed(answered).effects);
    }
  }

  #receive(from: string, body: string): void {
    const answer = this.#timed(() => this.#gossip.receive(this.#moment(), from, body));
    if ("error" in answer) throw new Error(answer.error);
    this.#answer(answer.effects);
  }

  #timed<T>(act: () => T): T {
    const startMs = performance.now();
    const result = act();
    this.spentMs += performance.now() - startMs;
    return result;
  }

  /** What a member tells of all, or answers to a call that told these heartbeats. */
  #message(sender: Mutable<Row>, said?: Float64Array): string {
    const { table } = this.#gossip.replica;
    const nowMs = this.#gossip.nowMs;
    for (const row of this.#rows) {
      if (row.id === "self") {
        Object.assign(row, table.get("self"));
        continue;
      }
      const clockMs = row.heartbeat + ageOf(row, nowMs);
      const lagMs = row === sender ? 0 : this.#dice.between(LAG_MS.least, LAG_MS.most);
      row.heartbeat = Math.floor((clockMs - lagMs) / UNIT_MS) * UNIT_MS;
      row.heardAtMs = nowMs - (clockMs - row.heartbeat);
    }
    const clockMs = Math.floor(sender.heartbeat + ageOf(sender, nowMs));
    const at = { clockMs, unitMs: UNIT_MS, nowMs, exact: undefined };
    const stamps = new Stamps(this.#rows);
    const knows = said && { heartbeats: said, agesMs: said };
    const ticks = encodeTicks(stamps, at, knows);
    return encodeMessage({
      ...said === undefined ? {} : { id: sender.id },
      ...this.#isStarting ? { readers: READERS.repeat(Math.ceil(this.#rows.length / 6)) } : {},
      roster: table.rosterHash,
      unitMs: UNIT_MS,
      ticks,
    });
  }

  #moment() {
    return { monotonicMs: this.#nowMs, wallMs: WALL_MS + this.#nowMs };
  }
}

const sizes = Deno.args.length > 0 ? Deno.args.map(Number) : [300, 1_000, 10_000];
for (const members of sizes) {
  const crowded = new Crowded(members);
  const beforeMs = crowded.spentMs;
  for (let i = 0; i < SECONDS; i++) crowded.second();
  const spentMs = (crowded.spentMs - beforeMs) / SECONDS;
  console.log(
    `${members} members: ${spentMs.toFixed(2)} ms, ${(spentMs / 10).toFixed(2)} % of a core`,
  );
}
