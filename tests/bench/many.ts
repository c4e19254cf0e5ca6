/**
 * Many nodes, by default 500, in a few processes over real HTTP on this machine's loopback, at a longer interval: how fast all
 * see all, what a node costs, and how fast all see one killed. Run by `deno task bench:many [NODES] [PROCESSES]`.
 *
 * Two cores run 1,009 nodes (`deno task bench:many 1024 16 --dead-after 100s`). With a dead-after of five intervals some are called dead
 * during the start, which takes longer than that: few heartbeats travel while all rosters differ. Each node may hold 256 connections,
 * so a process with more than 75 nodes may reach the limit of 20,000 open files.
 *
 * As root it runs in a network namespace of its own, so that every byte counted is the cluster's.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { FleetNode } from "../fleet/fleet.ts";
import { canUnshare, runInside } from "./inside.ts";
import { readUsage, table } from "./measure.ts";

const WITHIN_MS = 400_000;
const VICTIM = "victim";

/** Traffic is counted after this delay: the news of the start is told for eight intervals, of 10 s by default. */
const REST_MS = 100_000;

const options = parseArgs(Deno.args, {
  string: ["interval", "dead-after", "idle"],
  boolean: ["inside"],
});
const nodes = Number(options._[0] ?? 500);
const processes = Number(options._[1] ?? 8);
const idleMs = Number(options.idle ?? 60) * 1000;
const flags = [
  ...["-interval", String(options.interval ?? "10s")],
  ...["-dead-after", String(options["dead-after"] ?? "50s")],
];

interface HostEvent {
  readonly event: string;
  readonly atMs: number;
}

class HostProcess {
  readonly events: HostEvent[] = [];
  readonly #child: Deno.ChildProcess;
  #wake: () => void = () => {};

  constructor(args: readonly string[]) {
    const program = new URL("many_host.ts", import.meta.url).href;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", program, ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    void this.#drain();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** When it said the event. */
  async said(beginning: string): Promise<HostEvent> {
    const untilMs = Date.now() + WITHIN_MS;
    for (;;) {
      const found = this.events.find(({ event }) => event.startsWith(beginning));
      if (found !== undefined) return found;
      if (Date.now() > untilMs) throw new Error(`no '${beginning}' from process ${this.pid}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, 1_000);
      await promise;
      clearTimeout(timer);
    }
  }

  async #drain(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line));
      this.#wake();
    }
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

async function main(): Promise<void> {
  console.log(`${nodes} nodes in ${processes} processes and one by itself, ${flags.join(" ")}`);
  const each = Math.floor((nodes - 1) / processes);
  const total = String(each * processes + 1);
  const hosts: HostProcess[] = [];
  let victim: FleetNode | undefined;
  try {
    const first = new HostProcess(["a", String(each), total, VICTIM, ...flags]);
    hosts.push(first);
    const seed = (await first.said("at ")).event.slice("at ".length);
    const join = ["-join", seed, ...flags];
    for (let i = 1; i < processes; i++) {
      hosts.push(
        new HostProcess([`${"abcdefghijklmnop"[i]}`, String(each), total, VICTIM, ...join]),
      );
    }
    victim = new FleetNode(VICTIM, ["-port", "0", "-host", "127.0.0.1", ...join]);
    const started = await Promise.all(hosts.map((host) => host.said("started")));
    const all = await Promise.all(hosts.map((host) => host.said("all")));
    const startedMs = Math.max(...started.map(({ atMs }) => atMs));
    const allMs = Math.max(...all.map(({ atMs }) => atMs));
    const joinS = Math.max(0, allMs - startedMs) / 1000;
    console.log(`all see all ${joinS.toFixed(1)} s after the last started`);

    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    const pids = hosts.map((host) => host.pid);
    const before = await readUsage(pids);
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    const after = await readUsage(pids);
    const seconds = (after.atMs - before.atMs) / 1000;
    const perNode = (value: number) => value / seconds / Number(total);

    const killedMs = Date.now();
    victim.kill("SIGKILL");
    const dead = await Promise.all(hosts.map((host) => host.said("dead")));
    const deadS = (Math.max(...dead.map(({ atMs }) => atMs)) - killedMs) / 1000;
    const wrong = hosts.flatMap((host) => host.events.filter(({ event }) => event[0] === "w"));
    console.log(
      "\n" + table([
        ["nodes", total],
        ["from the last start until all see all", `${joinS.toFixed(1)} s`],
        ["bytes a node a second", perNode(after.bytes - before.bytes).toFixed(0)],
        ["packets a node a second", perNode(after.packets - before.packets).toFixed(1)],
        ["CPU a node, % of a core", (perNode(after.cpuMs - before.cpuMs) / 10).toFixed(3)],
        [
          "resident memory of all processes, MB a node",
          (after.residentMb.reduce((a, b) => a + b, 0) / Number(total)).toFixed(2),
        ],
        ["kill -9 until all say dead", `${deadS.toFixed(1)} s`],
        ["others called dead", String(wrong.length)],
      ]),
    );
  } finally {
    victim?.kill("SIGKILL");
    await Promise.all(hosts.map((host) => host.end()));
  }
}

if (!options.inside && await canUnshare()) Deno.exit(await runInside(import.meta.filename!));
await main();
