/**
 * Control groups, which limit what the processes in them take, of Linux' version 1 or 2. Making one takes root.
 *
 * @module
 */

const ROOT = "/sys/fs/cgroup";

/** The kernel hands out CPU time once per period. */
const PERIOD_US = 100_000;

/** Makes a group of at most so much memory; rejects where this process may not. Returns its folder. */
export async function makeMemoryGroup(name: string, bytes: number): Promise<string> {
  const { folder, isV1 } = await makeGroup("memory", name);
  const file = isV1 ? "memory.limit_in_bytes" : "memory.max";
  await Deno.writeTextFile(`${folder}/${file}`, `${bytes}`);
  return folder;
}

/** Processes that share a little CPU time, among them some that would use it all. */
export class CpuGroup implements AsyncDisposable {
  readonly #folder: string;
  readonly #busy: Deno.ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes a group that gets `share` of one core; rejects where this process may not. */
  static async make(name: string, share: number): Promise<CpuGroup> {
    const { folder, isV1 } = await makeGroup("cpu", name);
    const quotaUs = Math.round(share * PERIOD_US);
    const settings = isV1
      ? { "cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": quotaUs }
      : { "cpu.max": `${quotaUs} ${PERIOD_US}` };
    const group = new CpuGroup(folder);
    try {
      for (const [file, value] of Object.entries(settings)) {
        await Deno.writeTextFile(`${folder}/${file}`, `${value}`);
      }
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
    return group;
  }

  /** Moves a process into the group, with all its threads. */
  async take(pid: number): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/cgroup.procs`, `${pid}`);
  }

  /** Adds processes that do nothing but use CPU time. */
  async addBusy(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const child = new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn();
      this.#busy.push(child);
      await this.take(child.pid);
    }
  }

  /** Sets its processes free, ends the busy ones and removes the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    const parent = this.#folder.replace(/\/[^/]*$/, "");
    for (const child of this.#busy) child.kill("SIGKILL");
    await Promise.all(this.#busy.map((child) => child.status));
    const pids = (await Deno.readTextFile(`${this.#folder}/cgroup.procs`)).trim();
    for (const pid of pids === "" ? [] : pids.split("\n")) {
      await Deno.writeTextFile(`${parent}/cgroup.procs`, pid).catch(() => {});
    }
    await Deno.remove(this.#folder);
  }
}

/** Makes a group's folder, or takes the one of that name. Version 1 has a tree for each controller. */
async function makeGroup(
  controller: "cpu" | "memory",
  name: string,
): Promise<{ folder: string; isV1: boolean }> {
  const tree = `${ROOT}/${controller}`;
  const isV1 = await Deno.stat(`${tree}/cgroup.procs`).then(() => true, () => false);
  const folder = `${isV1 ? tree : ROOT}/${name}`;
  if (!isV1) {
    // Where neither version is, a folder made here would be no group.
    await Deno.stat(`${ROOT}/cgroup.controllers`);
    // A controller reaches the groups below only where it is told to; where that fails, so does what follows.
    await Deno.writeTextFile(`${ROOT}/cgroup.subtree_control`, `+${controller}`).catch(() => {});
  }
  await Deno.mkdir(folder, { recursive: true });
  return { folder, isV1 };
}
