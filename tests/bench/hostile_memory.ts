/**
 * Memory cgroups of 512 MB for nodes under attack, where this user may make them (cgroups v1 or v2), and what is used.
 *
 * @module
 */
import { type NodeProcess } from "../support/nodes.ts";

/** README's `MemoryMax` and `limits.memory`. */
const LIMIT_BYTES = 512 * 1024 * 1024;

const V1 = "/sys/fs/cgroup/memory";
const V2 = "/sys/fs/cgroup";

const made: string[] = [];
const pids = new Map<string, number>();

/** `program`, to be started inside a cgroup of its own; as it is, with a word about it, where none can be made. */
export async function cgroupCommand(name: string, program: readonly string[]): Promise<string[]> {
  const v1 = await Deno.stat(`${V1}/memory.limit_in_bytes`).then(() => true, () => false);
  const folder = `${v1 ? V1 : V2}/gossiper-hostile-${Deno.pid}-${name}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    const file = v1 ? "memory.limit_in_bytes" : "memory.max";
    await Deno.writeTextFile(`${folder}/${file}`, `${LIMIT_BYTES}`);
    if (!made.includes(folder)) made.push(folder);
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
    if (cgroup.includes(`gossiper-hostile-${Deno.pid}-${id}`) && line !== "") return Number(name);
  }
  return undefined;
}

export async function removeCgroups(): Promise<void> {
  for (const folder of made) await Deno.remove(folder).catch(() => {});
}
