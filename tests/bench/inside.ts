/**
 * Runs a measurement again inside a network namespace of its own, where every byte on the loopback is the cluster's.
 *
 * @module
 */

/** Whether this process may make network namespaces: as root on Linux. */
export async function canUnshare(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("unshare", { args: ["--net", "true"] }).output();
    return success;
  } catch {
    return false;
  }
}

/** Runs `program` with as many open files as allowed, this process' arguments and `--inside`; returns its status. */
export async function runInside(program: string): Promise<number> {
  const script = 'ip link set lo up && ulimit -n "$(ulimit -Hn)" && exec "$@"';
  const self = [Deno.execPath(), "run", "-A", program, ...Deno.args, "--inside"];
  const { code } = await new Deno.Command("unshare", {
    args: ["--net", "sh", "-c", script, "sh", ...self],
  }).spawn().status;
  return code;
}
