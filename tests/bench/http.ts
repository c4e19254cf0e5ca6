/**
 * What a request costs a node, beside a bare `Deno.serve` that answers a constant of the same size: both are loaded in turns by
 * one generator, so that a busy machine slows both. Run by `deno task bench:http [MEMBERS...]`.
 *
 * @module
 */
import { encodeColumns } from "../../lib/columns.ts";
import { HEARTBEAT_STEP_MS } from "../../lib/limits.ts";
import type { Report } from "../../lib/table.ts";
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

/** A member's heartbeat is this much later in one push than in the other. */
const LATER_MS = 1_000;

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
  readonly order: LoadOrder;
}

/** Loads both in turns; returns medians: requests a second, of the first as a share of the second's, and µs of CPU a request. */
async function compare(load: Load, sides: readonly [Side, Side]) {
  const rates: number[][] = sides.map(() => []);
  const costs: number[][] = sides.map(() => []);
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    for (const [i, { pid, order }] of sides.entries()) {
      const before = await cpuMsOf(pid);
      const { requests, seconds } = await load.run(order);
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
  const heartbeat = floorStep(Date.now() - 10_000);
  const rows: Report[] = Array.from({ length: members - 1 }, (_, i) => ({
    id: memberId(i),
    address: addressOf(i),
    boot: "00000001",
    heartbeat,
    ageMs: 500 + (i * 37) % 3_000,
    left: "",
  }));
  await post(port, encodeMessage({ roster: "0".repeat(16), rows, full: true }));
  await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
}

/** Two compact pushes of equal rosters, each later than the other for half of the members: so an answer holds half of the table. */
async function compactBodies(port: number, members: number): Promise<string[]> {
  const now = floorStep(Date.now());
  const probe = decodeMessage(await post(port, encodeMessage({ roster: "0".repeat(16) })));
  if ("error" in probe) throw new Error(probe.error);
  const { roster } = probe;
  return [0, 1].map((late) => {
    const rows = Array.from({ length: members }, (_, i) => {
      const ageMs = 500 + (i * 37) % 3_000 + (i % 2 === late ? 0 : LATER_MS);
      return {
        ...{ id: "", address: "", boot: "", left: "" },
        ...{ heartbeat: now - floorStep(ageMs), heardAtMs: -ageMs },
      };
    });
    const beats = encodeColumns(rows, { ownHeartbeat: now, nowMs: 0 });
    return encodeMessage({ roster, beat: now, beats });
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

function floorStep(ms: number): number {
  return Math.floor(ms / HEARTBEAT_STEP_MS) * HEARTBEAT_STEP_MS;
}

async function measure(load: Load, members: number): Promise<[string, string][]> {
  const main = new URL("../../main.ts", import.meta.url).href;
  const bare = new URL("http_bare.ts", import.meta.url).href;
  await using node = new ServerProcess([main, ...NODE_FLAGS]);
  const port = await node.port();
  await fill(port, members);
  const lines: [string, string][] = [];
  for (const method of ["GET", "POST"] as const) {
    const bodies = method === "POST" ? await compactBodies(port, members) : [""];
    const order = { port, method, path: path(method), bodies, forMs: TURN_MS };
    const { bytes, type } = await load.run(order);
    await using constant = new ServerProcess([bare, String(bytes), type]);
    const other = { ...order, port: await constant.port() };
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
