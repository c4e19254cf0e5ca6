/**
 * What the core's steps cost, without network and files. Run by `deno task bench`.
 *
 * @module
 */
import { historyView, membersAtView, uptimesOf } from "../../lib/report/past_views.ts";
import { Past } from "../../lib/report/past.ts";
import type { Moment } from "../../lib/clock.ts";
import { decodeColumns, encodeColumns } from "../../lib/columns.ts";
import type { Effect } from "../../lib/effects.ts";
import { Gossip } from "../../lib/gossip.ts";
import { formatHello, parseHello } from "../../lib/go_nodes.ts";
import { renderPage } from "../../lib/page/page.tsx";
import { Stamps } from "../../lib/stamps.ts";
import { type Report, Table } from "../../lib/table.ts";
import { encodeTicks } from "../../lib/ticks.ts";
import { decodeTicks } from "../../lib/ticks_read.ts";
import { decodeMessage, encodeMessage } from "../../lib/wire.ts";
import { member, view } from "../page/views.ts";

const SIZES = [100, 1_000, 10_000];
const WALL_MS = Date.UTC(2026, 0, 1);
const INTERVAL_MS = 1_000;

function reports(count: number, heartbeat: number): Report[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `m${String(i).padStart(5, "0")}`,
    address: `host${i}.example:8080`,
    boot: "0000abcd",
    heartbeat: heartbeat - (i * 7 % 30) * 100,
    ageMs: (i * 37) % 3_000,
    left: "",
  }));
}

/** A node that knows `count` members, itself among them, and time that goes by in steps. */
class Bench {
  readonly gossip: Gossip;
  #ms = 0;

  constructor(id: string, count: number) {
    const options = {
      id,
      address: `${id}.example:8080`,
      boot: "0000abcd",
      seeds: [],
      intervalMs: INTERVAL_MS,
      deadAfterMs: 3_600_000,
      random: Math.random,
    };
    this.gossip = new Gossip(options, this.#moment());
    const body = encodeMessage({ roster: "0".repeat(16), rows: reports(count, WALL_MS) });
    this.receive(body);
    // Until the news of the start is old.
    for (let i = 0; i < 20; i++) this.round();
  }

  #moment(): Moment {
    return { monotonicMs: this.#ms, wallMs: WALL_MS + this.#ms };
  }

  /** One interval later: beats, surveys, chooses partners and encodes; the partners fail silently. */
  round(): Effect[] {
    this.#ms += 1.2 * INTERVAL_MS;
    const { effects } = this.gossip.wake(this.#moment());
    for (const effect of effects) {
      if (effect.kind !== "exchange") continue;
      this.gossip.failed(this.#moment(), effect.to, { refused: false, why: "timed out" });
    }
    return effects;
  }

  /** A little later: decodes, merges and encodes the answer. */
  receive(body: string): string {
    this.#ms += 1;
    const answer = this.gossip.receive(this.#moment(), "m00000", body);
    if ("error" in answer) throw new Error(answer.error);
    return answer.body;
  }

  push(): string {
    return encodeMessage(this.gossip.replica.draft(this.gossip.nowMs));
  }
}

for (const size of SIZES) {
  const table = new Table();
  const rows = reports(size, WALL_MS);
  for (const row of rows) table.merge(row, 0);
  let step = 0;
  Deno.bench(`merge ${size} rows, all with later heartbeats`, () => {
    step++;
    for (const row of rows) {
      table.merge({ ...row, heartbeat: row.heartbeat + step * 100 }, step * 100);
    }
  });
  Deno.bench(`merge ${size} rows that say nothing new`, () => {
    for (const row of rows) table.merge(row, 0);
  });

  const at = { ownHeartbeat: WALL_MS, nowMs: 3_000 };
  const fresh = new Table();
  for (const row of rows) fresh.merge(row, at.nowMs);
  const roster = fresh.roster();
  const columns = encodeColumns(roster, at);
  Deno.bench(`encode columns of ${size}`, () => void encodeColumns(roster, at));
  Deno.bench(`decode columns of ${size}`, () => void decodeColumns(columns, WALL_MS));

  const writing = { clockMs: WALL_MS, nowMs: 0, unitMs: INTERVAL_MS, exact: undefined };
  const ticked = reports(size, WALL_MS).map((row, i) => {
    const heartbeat = WALL_MS - i % 4 * INTERVAL_MS;
    return { ...row, heartbeat, heardAtMs: heartbeat - WALL_MS };
  });
  const stamps = new Stamps(ticked);
  const ticks = encodeTicks(stamps, writing);
  const reading = { from: "m00000", nowMs: 0 };
  Deno.bench(`encode ticks of ${size}`, () => void encodeTicks(stamps, writing));
  Deno.bench(`decode ticks of ${size}`, () => void decodeTicks(ticks, stamps, reading));

  const full = { roster: "0".repeat(16), rows, full: true };
  const text = encodeMessage(full);
  Deno.bench(`encode a full message of ${size} rows`, () => void encodeMessage(full));
  Deno.bench(`decode a full message of ${size} rows`, () => void decodeMessage(text));

  const node = new Bench("n", size);
  Deno.bench(`a round at ${size} members`, () => void node.round());
  const other = new Bench("n", size);
  const push = other.push();
  Deno.bench(`receive a push and answer at ${size} members`, () => void other.receive(push));

  const hello = formatHello({
    id: "n",
    ids: rows.map((row) => row.id),
    tombstones: [],
    addresses: rows.map((row) => row.address),
  });
  Deno.bench(`parse the text of ${size} members`, () => void parseHello(hello));
}

for (const size of [100, 1_000]) {
  const assets = { style: "/style.css", script: "/live.js", icon: "/favicon.svg" };
  const shown = view(Array.from({ length: size }, (_, i) => member(`m${i}`)));
  Deno.bench(`render the page of ${size} members`, () => void renderPage(shown, { assets }));
}

{
  const past = new Past();
  const dayMs = 24 * 3_600_000;
  for (let i = 0; i < 10_000; i++) {
    const to = i % 40 < 20 ? "live" : "dead";
    const atMs = WALL_MS + Math.floor(i * 30 * dayMs / 10_000);
    const reason = "connection refused, witnessed by n1 and n2";
    past.add({ kind: "change", change: { atMs, id: `n${i % 20}`, from: null, to, reason } });
  }
  const toMs = WALL_MS + 30 * dayMs;
  const month = { fromMs: WALL_MS, toMs };
  Deno.bench("uptimes of a member, of 30 days with 10,000 changes", () => {
    uptimesOf(past, "n7", toMs);
  });
  Deno.bench("a page of /history, of 10,000 changes", () => {
    JSON.stringify(historyView(past, month, "n1"));
  });
  Deno.bench("/members?at=, of 10,000 changes", () => {
    JSON.stringify(
      membersAtView(past, WALL_MS + 15 * dayMs, { id: "n1", wallMs: WALL_MS + 15 * dayMs }),
    );
  });
}
