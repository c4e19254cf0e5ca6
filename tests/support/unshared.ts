/**
 * Programs in namespaces of their own (network, mounts, host name), for tests of what only such a place can break: the
 * system's resolver, its ports, and the way of packets.
 *
 * @module
 */

/** Its own loopback, and a resolver that asks 127.0.0.1 alone; the first argument is a folder. */
const SET_UP = `
  ip link set lo up &&
  echo 'nameserver 127.0.0.1' > "$0/resolv.conf" && mount --bind "$0/resolv.conf" /etc/resolv.conf &&
  echo 'hosts: files dns' > "$0/nsswitch.conf" && mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf`;

/** Whether such namespaces can be had: on Linux, as root. Where not, the tests that need them show as ignored. */
export const canUnshare = await unshare("true").then(({ success }) => success, () => false);

/** Runs a program of the tests in such a place, with a folder of its own as the first argument. */
export async function runUnshared(
  program: URL,
  { setUp = "true", args = [] }: { setUp?: string; args?: readonly string[] } = {},
): Promise<{ code: number; output: string }> {
  const command = [Deno.execPath(), "run", "-A", "--quiet", program.href];
  const { code, stdout, stderr } = await unshare(
    `${setUp} && exec "$@" "$0" ${args.join(" ")}`,
    ...command,
  );
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}

async function unshare(script: string, ...words: string[]): Promise<Deno.CommandOutput> {
  const folder = await Deno.makeTempDir({ prefix: "unshared" });
  try {
    const shell = ["sh", "-ec", `${SET_UP} && ${script}`, folder, ...words];
    return await new Deno.Command("unshare", { args: ["--net", "--mount", "--uts", ...shell] })
      .output();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
