/**
 * What a start costs: CPU time until the port has answered, of the commands given, in turns, beside the least program
 * that serves. Run by `deno task bench:start [COMMAND...] [--times N]`, such as
 * `deno task bench:start 'deno run -A main.ts' dist/gossiper-x86_64-unknown-linux-gnu`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { programCommand } from "../support/program.ts";
import { summary, table } from "./measure.ts";

/** How the least server and a node name their address: what ends the start. */
const LISTENING = /listens on (http:\/\/127\.0\.0\.1:\d+\/)/;

const BARE = ["deno", "run", "-A", "--quiet", "tests/bench/http_bare.ts", "100"];

const options = parseArgs(Deno.args, { string: ["times", "_"] });
const given = options._.map(String);
const commands = given.length === 0 ? [programCommand()] : given.map((text) => text.split(" "));
const times = Number(options.times ?? 20);

/** The figures of one command. */
interface Starts {
  readonly command: readonly string[];
  readonly flags: readonly string[];
  readonly cpuMs: number[];
  readonly wallMs: number[];
}

const all: Starts[] = [
  { command: BARE, flags: [], cpuMs: [], wallMs: [] },
  ...commands.map((command) => ({
    command,
    flags: ["-host", "127.0.0.1", "-port", "0"],
    cpuMs: [],
    wallMs: [],
  })),
];
// The first fills the caches of compiled code, and is not counted.
for (const starts of all) await startOnce(starts);
for (let i = 0; i < times; i++) {
  for (const starts of all) {
    const { cpuMs, wallMs } = await startOnce(starts);
    starts.cpuMs.push(cpuMs);
    starts.wallMs.push(wallMs);
  }
}
for (const { command, cpuMs, wallMs } of all) {
  console.log(`\n${command.join(" ")}, until the port has answered:`);
  console.log(table([
    ["CPU", summary(cpuMs, 1, " ms")],
    ["least CPU", `${Math.min(...cpuMs).toFixed(1)} ms`],
    ["time", summary(wallMs, 1, " ms")],
  ]));
}

/** Starts the program once, asks it, and ends it. */
async function startOnce({ command: [program = "", ...args], flags }: Starts) {
  const startMs = performance.now();
  const child = new Deno.Command(program, {
    args: [...args, ...flags],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      const [, url] = LISTENING.exec(said) ?? [];
      if (url === undefined) continue;
      await (await fetch(`${url}hello`)).bytes();
      return { cpuMs: await cpuMsOfThreads(child.pid), wallMs: performance.now() - startMs };
    }
    throw new Error(`${program} ended before it listened:\n${said}`);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

/** CPU time of a process' threads, in steps far finer than the 10 ms of its own figure; of those that run still. */
async function cpuMsOfThreads(pid: number): Promise<number> {
  let ns = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`).catch(() => "0");
    ns += Number(text.split(" ")[0]);
  }
  return ns / 1e6;
}
