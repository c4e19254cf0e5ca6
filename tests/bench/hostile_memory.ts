/**
 * Memory cgroups of 512 MB for nodes under attack, where this user may make them (cgroups v1 or v2), and what is used.
 *
 * @module
 */
import { makeMemoryGroup } from "../support/cgroup.ts";
import type { NodeProcess } from "../support/nodes.ts";

/** README's `MemoryMax` and `limits.memory`. */
const LIMIT_BYTES = 512 * 1024 * 1024;

const made = new Set<string>();
const pids = new Map<string, number>();

/** `program`, to be started inside a cgroup of its own; as it is, with a word about it, where none can be made. */
export async function cgroupCommand(name: string, program: readonly string[]): Promise<string[]> {
  let folder: string;
  try {
    folder = await makeMemoryGroup(groupOf(name), LIMIT_BYTES);
    made.add(folder);
  } catch (error) {
    console.log(`without a limit of memory: ${error instanceof Error ? error.message : error}`);
    return [...program];
  }
  return ["sh", "-c", `echo $$ > ${folder}/cgroup.procs && exec "$@"`, "sh", ...program];
}

/** Resident bytes of a node's process, which is found once by its port; 0 if it is gone. */
export async function memoryOf(node: NodeProcess): Promise<number> {
  const pid = pids.get(node.address) ?? await pidOf(node);
  if (pid === undefined) return 0;
  pids.set(node.address, pid);
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

async function pidOf({ id }: NodeProcess): Promise<number | undefined> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    const cgroup = await Deno.readTextFile(`/proc/${name}/cgroup`).catch(() => "");
    if (cgroup.includes(groupOf(id)) && line !== "") return Number(name);
  }
  return undefined;
}

function groupOf(name: string): string {
  return `gossiper-hostile-${Deno.pid}-${name}`;
}

export async function removeCgroups(): Promise<void> {
  for (const folder of made) await Deno.remove(folder).catch(() => {});
}
