/**
 * What members that live quietly cost a node: a process of its own, told of N members by one push on the loopback and of their
 * heartbeats by more, beside a process that is told of none. Part of `deno task bench:heap`.
 *
 * @module
 */
import { parseConfig } from "../../lib/config/config.ts";
import { start } from "../../lib/run/running_node.ts";
import { answerCalls, play } from "./played.ts";

declare const gc: () => void;

/** For so long the members live: news is told for eight intervals, and what is measured is the time after it. */
const LIVES_MS = 12_000;

/** What a process uses once all garbage is gone, and just before, in bytes. */
interface Memory {
  readonly heapBytes: number;
  readonly buffersBytes: number;
  readonly residentBytes: number;
  readonly residentDirtyBytes: number;
}

/** Bytes more than an empty node's, for each of these counts of members. */
export async function measureCrowds(counts: readonly number[]): Promise<[string, string][]> {
  const empty = await measure(0);
  const rows: [string, string][] = [];
  for (const count of counts) {
    const full = await measure(count);
    const more = (of: keyof Memory) => ((full[of] - empty[of]) / 1e6).toFixed(1);
    rows.push([
      `${count} quiet members: heap, buffers, resident, before the collection: MB more than none`,
      [more("heapBytes"), more("buffersBytes"), more("residentBytes"), more("residentDirtyBytes")]
        .join(", "),
    ]);
  }
  return rows;
}

async function measure(members: number): Promise<Memory> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--v8-flags=--expose-gc", import.meta.url],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = async () => JSON.parse((await reader.read()).value ?? "null");
  const port: number = await line();
  await using played = answerCalls();
  const calledPort = played.addr.port;
  await play({ port, members, calledPort, signal: AbortSignal.timeout(LIVES_MS) });
  await child.stdin.close();
  const memory: Memory = await line();
  await child.status;
  return memory;
}

function residentBytes(): number {
  return Deno.memoryUsage().rss;
}

/** Runs the node until stdin ends; says then what it uses. */
async function host(): Promise<void> {
  const args = "-id self -port 0 -host 127.0.0.1".split(" ");
  const parsed = parseConfig(args, () => undefined, { hostname: "localhost", randomId: "none" });
  if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
  let dead = 0;
  const running = start(parsed.config, (line) => {
    if (/peer is (dead|unresponsive)/.test(line)) dead++;
  });
  console.log(running.port);
  await new Response(Deno.stdin.readable).bytes();
  if (dead > 0) throw new Error(`${dead} members did not live quietly`);
  const residentDirtyBytes = residentBytes();
  for (let i = 0; i < 3; i++) gc();
  const { heapUsed, external } = Deno.memoryUsage();
  const memory: Memory = {
    heapBytes: heapUsed,
    buffersBytes: external,
    residentBytes: residentBytes(),
    residentDirtyBytes,
  };
  console.log(JSON.stringify(memory));
  Deno.exit();
}

if (import.meta.main) await host();
