/**
 * A control group that limits the CPU time of its processes, of Linux' version 1 or 2.
 *
 * @module
 */

/** The kernel hands out CPU time once per period. */
const PERIOD_US = 100_000;

const V1 = "/sys/fs/cgroup/cpu";
const V2 = "/sys/fs/cgroup";

/** Processes that share a little CPU time, among them some that would use it all. */
export class CpuGroup implements AsyncDisposable {
  readonly #path: string;
  readonly #busy: Deno.ChildProcess[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes a group that gets `share` of one core; undefined where this process may not, or there is no Linux. */
  static async make(name: string, share: number): Promise<CpuGroup | undefined> {
    const isV1 = await exists(`${V1}/cpu.cfs_quota_us`) || await exists(`${V1}/cpu.shares`);
    const path = `${isV1 ? V1 : V2}/${name}`;
    const quotaUs = Math.round(share * PERIOD_US);
    try {
      await Deno.mkdir(path);
      if (isV1) {
        await Deno.writeTextFile(`${path}/cpu.cfs_period_us`, String(PERIOD_US));
        await Deno.writeTextFile(`${path}/cpu.cfs_quota_us`, String(quotaUs));
      } else {
        await Deno.writeTextFile(`${path}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
      }
      return new CpuGroup(path);
    } catch {
      return undefined;
    }
  }

  /** Moves a process into the group, with all its threads. */
  async take(pid: number): Promise<void> {
    await Deno.writeTextFile(`${this.#path}/cgroup.procs`, String(pid));
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
    const parent = this.#path.replace(/\/[^/]*$/, "");
    for (const child of this.#busy) child.kill("SIGKILL");
    await Promise.all(this.#busy.map((child) => child.status));
    const pids = (await Deno.readTextFile(`${this.#path}/cgroup.procs`)).trim();
    for (const pid of pids === "" ? [] : pids.split("\n")) {
      await Deno.writeTextFile(`${parent}/cgroup.procs`, pid).catch(() => {});
    }
    await Deno.remove(this.#path);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
