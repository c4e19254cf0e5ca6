/**
 * What a request costs a node, beside a bare `Deno.serve` that answers a constant of the same size: both are loaded in turns by
 * one generator, so that a busy machine slows both. Run by `deno task bench:http [MEMBERS...]`.
 *
 * @module
 */
import { encodeColumns } from "../../lib/columns.ts";
import { Stamps } from "../../lib/stamps.ts";
import type { Report, Row } from "../../lib/table.ts";
import { encodeTicks, FINE_MEMBERS_MAX } from "../../lib/ticks.ts";
import { decodeMessage, encodeMessage } from "../../lib/wire.ts";
import type { LoadOrder, LoadResult } from "./http_load.ts";
import { cpuMsOf, table } from "./measure.ts";

/** Turns for each of the two: short and many, as a shared machine is fast and slow by the second. */
const TURNS = 31;
const TURN_MS = 300;

/** The first turns, not counted, warm up. */
const WARM_UP_TURNS = 5;

/** The member of the table that calls. */
const CALLER = "m00000";

/** Dead-after so long that the table stays as it is. */
const NODE_FLAGS = "-id self -port 0 -host 127.0.0.1 -interval 500ms -dead-after 1h".split(" ");

/** The node's interval. */
const UNIT_MS = 500;

/**
 * One in so many members is later in one push than in the other, by an interval: with columns an answer holds half of
 * the table, with ticks a ninth, as in clusters of such sizes.
 */
const LATER_ONE_IN = { columns: 2, ticks: 9 };

/** The oldest heartbeat of a push, in ms: three intervals. */
const OLDEST_MS = 3 * UNIT_MS;

/** News is told for eight intervals; what is measured is the steady state. */
const NEWS_MS = 5_000;

/** A server in a process of its own, that says on which port it listens. */
class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async port(): Promise<number> {
    const reader = this.#child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      text += value ?? "";
      const [, port] = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? [];
      if (done) throw new Error(`the server ended: ${text}`);
      if (port === undefined) continue;
      void drain(reader);
      return Number(port);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killIfRunning(this.#child);
    await this.#child.status;
  }
}

function killIfRunning(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It ended by itself, and what it was to do says why.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

/** The load generator, told what to do line by line. */
class Load implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("http_load.ts", import.meta.url).href],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async run(order: LoadOrder): Promise<LoadResult> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(order) + "\n"));
    for (let text = "";;) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error("the load generator ended");
      text += value;
      if (text.endsWith("\n")) return JSON.parse(text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    killIfRunning(this.#child);
    await this.#child.status;
  }
}

interface Side {
  readonly pid: number;
  /** What to do in the next turn. */
  readonly order: () => LoadOrder;
}

/** Loads both in turns; returns medians: requests a second, of the first as a share of the second's, and µs of CPU a request. */
async function compare(load: Load, sides: readonly [Side, Side]) {
  const rates: number[][] = sides.map(() => []);
  const costs: number[][] = sides.map(() => []);
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    for (const [i, { pid, order }] of sides.entries()) {
      const before = await cpuMsOf(pid);
      const { requests, seconds } = await load.run(order());
      const cpuMs = await cpuMsOf(pid) - before;
      if (turn < WARM_UP_TURNS) continue;
      rates[i]!.push(requests / seconds);
      costs[i]!.push(cpuMs * 1000 / requests);
    }
  }
  const shares = rates[0]!.map((rate, turn) => rate / rates[1]![turn]!);
  return { rates: rates.map(median), costs: costs.map(median), share: median(shares) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function memberId(i: number): string {
  return `m${String(i).padStart(5, "0")}`;
}

/** Takes the node's own calls in silence: neither refusals nor answers disturb what is measured. */
const silent = Deno.listen({ hostname: "0.0.0.0", port: 0 });

/** Each member has an address of the loopback's for itself. */
function addressOf(i: number): string {
  return `127.1.${i >> 8}.${i & 255}:${(silent.addr as Deno.NetAddr).port}`;
}

/** Fills the node's table: it has `members` afterwards, itself among them. */
async function fill(port: number, members: number): Promise<void> {
  const nowMs = Date.now();
  const rows: Report[] = rowsOf(members - 1, nowMs).map((row, i) => ({
    ...row,
    address: addressOf(i),
    ageMs: nowMs - row.heartbeat,
  }));
  await post(port, encodeMessage({ roster: "0".repeat(16), rows, full: true }));
  await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
}

async function rosterOf(port: number): Promise<string> {
  const probe = decodeMessage(await post(port, encodeMessage({ roster: "0".repeat(16) })));
  if ("error" in probe) throw new Error(probe.error);
  return probe.roster;
}

/** Two compact pushes of that roster, each later than the other for some of the members. */
function compactBodies(roster: string, members: number): string[] {
  const form = members > FINE_MEMBERS_MAX ? "ticks" : "columns";
  const nowMs = Date.now();
  const clockMs = floorUnit(nowMs);
  return [0, 1].map((late) => {
    const rows = rowsOf(members, nowMs).map((row, i) => {
      const laterMs = i % LATER_ONE_IN[form] === late ? UNIT_MS : 0;
      return {
        ...row,
        heartbeat: row.heartbeat + laterMs,
        heardAtMs: row.heardAtMs + laterMs,
      };
    });
    if (form === "columns") {
      const beats = encodeColumns(rows, { ownHeartbeat: clockMs, nowMs });
      return encodeMessage({ roster, beat: clockMs, beats });
    }
    const at = { clockMs: nowMs, nowMs, unitMs: UNIT_MS, exact: undefined };
    return encodeMessage({ roster, unitMs: UNIT_MS, ticks: encodeTicks(new Stamps(rows), at) });
  });
}

/** Rows of so many members, by a running clock that is the wall clock; each heartbeat is a tick. */
function rowsOf(members: number, nowMs: number): Row[] {
  return Array.from({ length: members }, (_, i) => {
    const heartbeat = floorUnit(nowMs - UNIT_MS - (i * 37) % OLDEST_MS);
    const row = { id: memberId(i), address: "", boot: "00000001", left: "" };
    return { ...row, heartbeat, heardAtMs: heartbeat };
  });
}

async function post(port: number, body: string): Promise<string> {
  const url = `http://127.0.0.1:${port}${path("POST")}`;
  const response = await fetch(url, { method: "POST", body });
  if (!response.ok) throw new Error(await response.text());
  return await response.text();
}

function path(method: "GET" | "POST"): string {
  return method === "GET" ? "/hello" : `/hello?from=${CALLER}&via=${addressOf(0)}`;
}

function floorUnit(ms: number): number {
  return ms - ms % UNIT_MS;
}

async function measure(load: Load, members: number): Promise<[string, string][]> {
  const main = new URL("../../main.ts", import.meta.url).href;
  const bare = new URL("http_bare.ts", import.meta.url).href;
  await using node = new ServerProcess([main, ...NODE_FLAGS]);
  const port = await node.port();
  await fill(port, members);
  const lines: [string, string][] = [];
  for (const method of ["GET", "POST"] as const) {
    const roster = await rosterOf(port);
    const fixed = { port, method, path: path(method), forMs: TURN_MS };
    const order = () => ({
      ...fixed,
      bodies: method === "POST" ? compactBodies(roster, members) : [""],
    });
    const { bytes, type } = await load.run(order());
    await using constant = new ServerProcess([bare, String(bytes), type]);
    const otherPort = await constant.port();
    const other = () => ({ ...order(), port: otherPort });
    const { rates, costs, share } = await compare(load, [
      { pid: node.pid, order },
      { pid: constant.pid, order: other },
    ]);
    const [rate, of] = rates.map((rate) => rate.toFixed(0));
    const [cpu, ofCpu] = costs.map((cost) => cost.toFixed(0));
    const words = `${rate}/s of ${of}/s: **${share.toFixed(2)}**; CPU ${cpu} µs of ${ofCpu} µs; ` +
      `${bytes} bytes`;
    lines.push([`${method} /hello, ${members} members`, words]);
    console.log(...lines.at(-1)!);
  }
  return lines;
}

const sizes = Deno.args.length > 0 ? Deno.args.map(Number) : [3, 100, 1_000];
await using load = new Load();
const lines: [string, string][] = [];
for (const members of sizes) lines.push(...await measure(load, members));
silent.close();
console.log("\n" + table(lines));
