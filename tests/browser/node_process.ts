/**
 * Nodes in processes of their own, started as a user starts them.
 *
 * @module
 */
import { assert } from "@std/assert";
import { eventually } from "../support/eventually.ts";

const MAIN = new URL("../../main.ts", import.meta.url).href;

/**
 * A free port of the loopback, and rounds at five times the usual pace. Silence is given time, so that no member is
 * shown dead for a moment because the machine is busy. A kill is known by refused calls, within a few rounds.
 */
const FLAGS = "-host 127.0.0.1 -interval 200ms -dead-after 10s";

export interface NodeProcess extends AsyncDisposable {
  readonly id: string;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Ends it as kill -9 does. */
  kill(): Promise<void>;
}

/** Starts a node and waits until it listens; of flags given twice the last counts. */
export async function startNode(id: string, flags = ""): Promise<NodeProcess> {
  const given = new Map<string, string>();
  const words = `-id ${id} -port 0 ${FLAGS} ${flags}`.trim().split(" ");
  for (let i = 0; i < words.length; i += 2) given.set(words[i]!, words[i + 1]!);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, ...[...given].flat()],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const drained = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  const address = await eventually(() => {
    const [, address] = /listens on .* known to peers as ([^\s,;]+)/.exec(log) ?? [];
    assert(address, `node ${id} does not say where it listens: ${log}`);
    return address;
  });
  const kill = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It was killed before.
    }
    await Promise.all([child.status, drained]);
  };
  return { id, address, kill, [Symbol.asyncDispose]: kill };
}

/** What `GET /members` says of each member's status. */
export async function statuses(node: NodeProcess): Promise<Record<string, string>> {
  const { members } = await (await fetch(`http://${node.address}/members`)).json();
  return Object.fromEntries(
    members.map(({ id, status }: { id: string; status: string }) => [id, status]),
  );
}
