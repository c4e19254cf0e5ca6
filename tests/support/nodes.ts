/**
 * Nodes to test against: in this process, or each in its own, as a user starts it. All listen on a free port of the
 * loopback, and run ten times a user's pace unless told otherwise.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/config/config.ts";
import type { ListedMember } from "../../lib/report/members.ts";
import { type RunningNode, start } from "../../lib/run/running_node.ts";
import { eventually, within } from "./eventually.ts";
import { programCommand } from "./program.ts";

/** The address to listen on, and a pace at which tests are quick and a busy machine still keeps up. */
const TEST_FLAGS = "-port 0 -host 127.0.0.1 -interval 200ms -dead-after 1s".split(" ");

/** What tests ask of a node, wherever it runs. */
export interface TestNode extends AsyncDisposable {
  readonly id: string;
  /** Where it is asked: `127.0.0.1:port`, whatever it tells its peers. */
  readonly address: string;
  /** Every line it logged so far. */
  readonly lines: readonly string[];
}

export interface LocalNode extends TestNode {
  readonly running: RunningNode;
}

/** Starts a node in this process; `flags` as on the command line. With an empty ID its state file gives it one. */
export function startNode(id: string, flags = ""): LocalNode {
  const args = [...(id === "" ? [] : ["-id", id]), ...merge(flags)];
  const parsed = parseConfig(args, () => undefined, { hostname: "localhost", randomId: "none" });
  assert(parsed.kind === "run", JSON.stringify(parsed));
  const lines: string[] = [];
  const running = start(parsed.config, (line) => lines.push(line));
  return {
    id: running.id,
    address: `127.0.0.1:${running.port}`,
    lines,
    running,
    async [Symbol.asyncDispose]() {
      void running.leave("test");
      await running.ended;
    },
  };
}

export interface NodeProcess extends TestNode {
  readonly pid: number;
  /** Sends a signal; the process may be gone. */
  kill(signal: Deno.Signal): void;
  /** Stops reading what it logs, as `| head` does. */
  closeLog(): Promise<void>;
  /** Takes no more of what it logs, as a terminal on hold does, until it is let go of. */
  holdLog(): { release(): void };
  /** Waits until it has ended; its exit status. */
  exit(): Promise<number>;
}

/** Starts a node in a process of its own, and waits until it listens; `program` may stand for the real one. */
export async function spawnNode(
  id: string,
  flags = "",
  program: readonly string[] = programCommand(),
): Promise<NodeProcess> {
  const { child, lines, ended, closeLog, holdLog } = spawn([
    ...program,
    "-id",
    id,
    ...merge(flags),
  ]);
  let exited = false;
  void ended.then(() => exited = true);
  const address = await eventually(() => {
    const listening = lines.find((line) => line.includes(" listens on "));
    assert(listening !== undefined || !exited, `node ${id} ended:\n${lines.join("\n")}`);
    const [, host, port] = / listens on https?:\/\/(\S+):(\d+)\//.exec(listening ?? "") ?? [];
    assert(port !== undefined, `node ${id} does not say where it listens:\n${lines.join("\n")}`);
    return `${host}:${port}`;
  });
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  return {
    id,
    address,
    lines,
    pid: child.pid,
    async exit() {
      const { code } = await within(ended, () => `node ${id} runs on:\n${lines.join("\n")}`);
      return code;
    },
    kill,
    closeLog,
    holdLog,
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs the program to its end, as for wrong use; everything it wrote and its status. */
export async function runProgram(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await command([...programCommand(), ...args], env).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

function command([program = "", ...args]: readonly string[], env: Record<string, string> = {}) {
  return new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function spawn(words: readonly string[]) {
  const child = command(words).spawn();
  const lines: string[] = [];
  const logs = [child.stdout, child.stderr].map((stream) => stream.getReader());
  let held: Promise<void> | undefined;
  const holdLog = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return { release: resolve };
  };
  const drained = logs.map(async (log) => {
    for await (const line of readLines(log)) {
      lines.push(line);
      await held;
    }
  });
  const ended = Promise.all([child.status, ...drained]).then(([status]) => status);
  const closeLog = async () => void await Promise.all(logs.map((log) => log.cancel()));
  return { child, lines, ended, closeLog, holdLog };
}

async function* readLines(
  log: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await log.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** `flags` over the test's own: those given win. */
function merge(flags: string): string[] {
  const given = flags.split(" ").filter((word) => word !== "");
  const merged = [...given];
  for (let i = 0; i < TEST_FLAGS.length; i += 2) {
    const [name = "", value = ""] = TEST_FLAGS.slice(i, i + 2);
    if (!given.includes(name)) merged.push(name, value);
  }
  return merged;
}

/** An answer that takes longer is taken for none, so that a test ends. */
const ANSWER_MS = 5_000;

/** GETs a path as text. */
export async function get(node: { address: string }, path: string): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return await (await fetch(`http://${node.address}${path}`, { signal })).text();
}

/** All members as the node shows them. */
export async function members(node: { address: string }): Promise<ListedMember[]> {
  return JSON.parse(await get(node, "/members")).members;
}

/** Each member's status as the node shows it. */
export async function statuses(node: { address: string }): Promise<Record<string, string>> {
  return Object.fromEntries((await members(node)).map(({ id, status }) => [id, status]));
}

/** Waits for a line of the node's log, which may be read later than its answers; the line. */
export function eventuallyLogs(node: TestNode, wanted: RegExp): Promise<string> {
  return eventually(() => {
    const line = node.lines.find((line) => wanted.test(line));
    assert(line !== undefined, `no line like ${wanted}:\n${node.lines.join("\n")}`);
    return line;
  });
}

/** Waits until each of the nodes shows exactly these statuses. */
export async function eventuallyShow(
  nodes: Iterable<{ id: string; address: string }>,
  expected: Record<string, string>,
  options: { withinMs?: number } = {},
): Promise<void> {
  for (const node of nodes) {
    await eventually(async () => {
      assertEquals(await statuses(node), expected, `${node.id} shows others`);
    }, options);
  }
}
