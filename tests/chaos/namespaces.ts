/**
 * A network namespace for each node, as if on a host of its own: this process' namespace routes between them, so one set of
 * nft rules here breaks the network, at one moment for all nodes. Requests from here to a node are not routed, so
 * no fault touches them.
 *
 * @module
 */
import type { LinkFault } from "./links.ts";
import type { Place } from "./place.ts";

/** Every node listens here: each has an address of its own. */
const PORT = 8080;

/** One /30 network a node, 10.77.N.0. */
const NODES_MAX = 255;

/** `unshare` before the harness: its own network, mounts and processes, all gone with it, whatever happens. */
const UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"];

/** For those who are not root: root over these namespaces only, where the system lets them. */
const USER = ["--user", "--map-root-user"];

/** `ip` keeps the names of namespaces in files, here on a mount of our own. */
const SET_UP = `
  mount -t tmpfs none /run && mkdir /run/netns &&
  ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward &&
  ip netns add try && nsenter --net=/run/netns/try true && ip netns delete try &&
  nft add table ip chaos`;

export class Namespaces implements Place {
  readonly name = "each node in a network namespace of its own";
  readonly breakable = true;
  readonly #numbers = new Map<string, number>();

  async prepare(id: string): Promise<readonly string[]> {
    let number = this.#numbers.get(id);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      if (number > NODES_MAX) throw new Error(`Cannot run more than ${NODES_MAX} nodes`);
      this.#numbers.set(id, number);
      await run(["sh", "-ec", wire(id, number)]);
    }
    return ["-advertise", hostOf(number), "-port", String(PORT)];
  }

  prefix(id: string): readonly string[] {
    return ["nsenter", `--net=/run/netns/${id}`];
  }

  addressOf(id: string): string | undefined {
    const number = this.#numbers.get(id);
    return number === undefined ? undefined : `${hostOf(number)}:${PORT}`;
  }

  listens(): void {}

  async setFaults(faults: readonly LinkFault[]): Promise<void> {
    const rules = faults.flatMap((fault) => this.#rules(fault)).map((rule) => `    ${rule}\n`);
    const table = `table ip chaos {
  chain forward {
    type filter hook forward priority 0; policy accept;
${rules.join("")}  }
}
`;
    await run(["nft", "-f", "-"], `add table ip chaos\nflush table ip chaos\n${table}`);
  }

  #rules(fault: LinkFault): string[] {
    const at = (id: string) => hostOf(this.#numbers.get(id)!);
    const set = (ids: readonly string[]) => `{ ${ids.map(at).join(", ")} }`;
    switch (fault.kind) {
      case "part": {
        const side = set(fault.ids);
        return [
          `ip saddr ${side} ip daddr != ${side} drop`,
          `ip saddr != ${side} ip daddr ${side} drop`,
        ];
      }
      case "drop":
        return [`ip saddr ${at(fault.from)} ip daddr ${set(fault.to)} drop`];
      case "reject":
        return [
          `ip saddr ${set(fault.from)} ip daddr ${at(fault.to)} tcp dport ${PORT} ` +
          "reject with tcp reset",
        ];
      case "loss":
        return [`numgen random mod 100 < ${Math.round(fault.share * 100)} drop`];
    }
  }
}

/** The command that runs `command` where namespaces can be made; or why there is none. */
export async function unshared(command: readonly string[]): Promise<readonly string[] | string> {
  let why = "";
  for (const flags of [UNSHARE, [...UNSHARE, ...USER]]) {
    try {
      await run([...flags, "sh", "-ec", SET_UP]);
      return [...flags, "sh", "-ec", `${SET_UP} && "$@"`, "sh", ...command];
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  return why;
}

function hostOf(number: number): string {
  return `10.77.${number}.2`;
}

function wire(id: string, number: number): string {
  return `
    ip netns add ${id}
    ip link add v${number} type veth peer name eth0 netns ${id}
    ip address add 10.77.${number}.1/30 dev v${number}
    ip link set v${number} up
    ip -netns ${id} link set lo up
    ip -netns ${id} address add ${hostOf(number)}/30 dev eth0
    ip -netns ${id} link set eth0 up
    ip -netns ${id} route add default via 10.77.${number}.1`;
}

async function run([program = "", ...args]: readonly string[], input = ""): Promise<void> {
  let child;
  try {
    child = new Deno.Command(program, { args, stdin: "piped", stdout: "null", stderr: "piped" })
      .spawn();
  } catch (error) {
    throw new Error(`Cannot run ${program}: ${error instanceof Error ? error.message : error}`);
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stderr } = await child.output();
  if (success) return;
  const [line = ""] = new TextDecoder().decode(stderr).trim().split("\n");
  throw new Error(`${program} failed: ${line}`);
}
