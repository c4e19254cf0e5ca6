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

/** Turns of a second for each of the two. */
const TURNS = 9;
const TURN_MS = 1_000;

/** The member of the table that calls. */
const CALLER = "m00000";

/** Dead-after so long that the table stays as it is. */
const NODE_FLAGS = "-id self -port 0 -host 127.0.0.1 -interval 500ms -dead-after 1h".split(" ");

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

/** Loads both in turns; returns median requests a second, and CPU time a request in microseconds. */
async function compare(load: Load, sides: readonly Side[]) {
  const rates: number[][] = sides.map(() => []);
  const costs: number[][] = sides.map(() => []);
  for (let turn = -1; turn < TURNS; turn++) {
    for (const [i, { pid, order }] of sides.entries()) {
      const before = await cpuMsOf(pid);
      const { requests, seconds } = await load.run(order);
      const cpuMs = await cpuMsOf(pid) - before;
      // The first turn warms up.
      if (turn < 0) continue;
      rates[i]!.push(requests / seconds);
      costs[i]!.push(cpuMs * 1000 / requests);
    }
  }
  return sides.map((_, i) => ({ rate: median(rates[i]!), cost: median(costs[i]!) }));
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

/** A compact push of equal rosters. */
async function compactBody(port: number, members: number): Promise<string> {
  const now = floorStep(Date.now());
  const rows = Array.from({ length: members }, (_, i) => {
    const ageMs = 500 + (i * 37) % 3_000;
    return {
      ...{ id: "", address: "", boot: "", left: "" },
      ...{ heartbeat: now - floorStep(ageMs), heardAtMs: -ageMs },
    };
  });
  const columns = encodeColumns(rows, { ownHeartbeat: now, nowMs: 0 });
  const probe = decodeMessage(await post(port, encodeMessage({ roster: "0".repeat(16) })));
  if ("error" in probe) throw new Error(probe.error);
  return encodeMessage({ roster: probe.roster, beat: now, ...columns });
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
    const body = method === "POST" ? await compactBody(port, members) : "";
    const order = { port, method, path: path(method), body, forMs: TURN_MS };
    const { bytes, type } = await load.run({ ...order, forMs: 0 });
    await using constant = new ServerProcess([bare, String(bytes), type]);
    const other = { ...order, port: await constant.port() };
    const [ours, theirs] = await compare(load, [
      { pid: node.pid, order },
      { pid: constant.pid, order: other },
    ]);
    const words = `${ours!.rate.toFixed(0)}/s of ${theirs!.rate.toFixed(0)}/s: ` +
      `**${(ours!.rate / theirs!.rate).toFixed(2)}**; CPU ${ours!.cost.toFixed(0)} µs of ` +
      `${theirs!.cost.toFixed(0)} µs; ${bytes} bytes`;
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
