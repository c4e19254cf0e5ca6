/**
 * Sick nodes, each in a ward of five real processes: what ails one of them is named rightly by all others, and nobody
 * healthy is accused. `deno run -A tests/process/sick.ts NAME...` runs some of them, without a name all; what breaks the
 * network or fills a disk runs as root, in namespaces of its own.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Namespaces, unshared } from "../chaos/namespaces.ts";
import { CpuGroup } from "../support/cgroup.ts";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, get, members, type NodeProcess, spawnNode } from "../support/nodes.ts";
import { programCommand } from "../support/program.ts";

/** Half a user's times: twice as quick, and a busy machine starves no healthy node for as long as dead-after. */
const INTERVAL_MS = 500;
const DEAD_AFTER_MS = 2_500;
const PACE = `-interval ${INTERVAL_MS}ms -dead-after ${DEAD_AFTER_MS}ms`;

/** Blocked for so long: 3 s and 20 s at a user's pace. */
const HICCUP_MS = 1_500;
const BLOCKED_MS = 10_000;

/** File descriptors of a node that is to have none left: it needs some thirty to run in peace. */
const DESCRIPTORS = 64;

/** One comes so often, in ms, so that one waits whenever the node can take another; not without end. */
const CROWD_EVERY_MS = 20;
const CROWD_MAX = 1_000;

/** Of one core, and shared with so many busy processes. */
const STARVED_SHARE = 0.02;
const BUSY = 16;

const HEALTHY = ["n1", "n2", "n3", "n4"];
const SICK = "n5";
const PORT = 8080;

/** How a ward is furnished. */
interface Furniture {
  /** What runs the node that falls sick. */
  readonly program?: readonly string[];
  readonly flags?: string;
}

/** Four healthy nodes, and one that will be sick. */
class Ward implements AsyncDisposable {
  readonly healthy: readonly NodeProcess[];
  readonly sick: NodeProcess;

  private constructor(nodes: readonly NodeProcess[]) {
    this.healthy = nodes.slice(0, -1);
    this.sick = nodes.at(-1)!;
  }

  /** Starts all, each on a host of its own where there is a `place`, and waits until all see all. */
  static async open(furniture: Furniture, place?: Namespaces): Promise<Ward> {
    const { program, flags = "" } = furniture;
    const nodes: NodeProcess[] = [];
    for (const id of [...HEALTHY, SICK]) {
      await place?.prepare(id);
      const address = place?.addressOf(id);
      const at = address === undefined ? "" : `-host ${address.replace(/:.*/, "")} -port ${PORT}`;
      const join = nodes[0] === undefined ? "" : `-join ${nodes[0].address}`;
      const own = id === SICK ? flags : "";
      const words = (id === SICK ? program : undefined) ?? programCommand();
      const prefix = place?.prefix(id) ?? [];
      nodes.push(await spawnNode(id, `${PACE} ${at} ${join} ${own}`, [...prefix, ...words]));
    }
    await eventuallyShow(nodes, show("live"));
    return new Ward(nodes);
  }

  /** Waits until all healthy nodes show the sick one so, all others live. */
  async shows(status: string): Promise<void> {
    await eventuallyShow(this.healthy, show(status));
  }

  /** Waits until all healthy nodes have a remark of the sick one that matches. */
  async remarks(pattern: RegExp): Promise<void> {
    for (const node of this.healthy) {
      await eventually(async () => {
        const member = (await members(node)).find(({ id }) => id === SICK);
        assertMatch(`${member?.remark}`, pattern, `${node.id} shows ${member?.status}`);
      });
    }
  }

  /** Waits until a node has beaten for so many dead-afters from now, as the first one hears. */
  async #beats(id: string, deadAfters: number): Promise<void> {
    const [node] = this.healthy;
    const heartbeatMs = async () => {
      const member = (await members(node!)).find((member) => member.id === id);
      return Date.parse(member!.lastHeartbeat!);
    };
    const untilMs = await heartbeatMs() + deadAfters * DEAD_AFTER_MS;
    await eventually(async () => assert(await heartbeatMs() > untilMs, `${id} is not heard`));
  }

  /** Waits until the sick node was heard for so long. */
  async beatsFor(deadAfters: number): Promise<void> {
    await this.#beats(SICK, deadAfters);
  }

  /** Waits for so many dead-afters, by a healthy node's clock. */
  async passes(deadAfters: number): Promise<void> {
    await this.#beats(HEALTHY[0]!, deadAfters);
  }

  /** Waits until all healthy nodes show that the sick one hardly gets to run. */
  async isSeenSick(): Promise<void> {
    for (const node of this.healthy) {
      await eventually(async () => {
        const { status, remark } = (await members(node)).find(({ id }) => id === SICK)!;
        assert(status === "unresponsive" || /^slow: /.test(`${remark}`), `${status}, ${remark}`);
      });
    }
  }

  /** Waits until the sick node says that it hears nobody. */
  async knowsItIsCutOff(): Promise<void> {
    await eventually(async () => {
      assertEquals(JSON.parse(await get(this.sick, "/members")).cutOff, true);
    });
  }

  /** Waits until all healthy nodes have missed its heartbeat for so many dead-afters. */
  async isSilentFor(deadAfters: number): Promise<void> {
    for (const node of this.healthy) {
      await eventually(async () => {
        const member = (await members(node)).find(({ id }) => id === SICK);
        assert(member!.ageMs! > deadAfters * DEAD_AFTER_MS, `${member!.ageMs} ms`);
      }, { withinMs: 60_000 });
    }
  }

  /** The statuses that healthy nodes said of the sick one since the ward opened, `live` left out. */
  get said(): string[] {
    const said = this.healthy.flatMap(({ lines }) => {
      const of = lines.map((line) => /peer is (\w+): n5 /.exec(line)?.[1]);
      return of.filter((status) => status !== undefined && status !== "live");
    });
    return [...new Set(said as string[])].sort();
  }

  /** Asserts that healthy nodes said nothing else of the sick one, and nothing bad of each other. */
  assertSaid(...statuses: string[]): void {
    assertEquals(this.said, statuses, this.healthy[0]!.lines.join("\n"));
    for (const { id, lines } of this.healthy) {
      const accused = lines.filter((line) => /peer is (dead|unresponsive): n[1-4] /.test(line));
      assertEquals(accused, [], `${id} accuses healthy nodes`);
    }
  }

  /** Asserts that the sick node, well again, accused nobody. */
  assertNobodyAccused(): void {
    const accused = this.sick.lines.filter((line) => /peer is (dead|unresponsive)/.test(line));
    assertEquals(accused, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.healthy, this.sick].map((node) => node[Symbol.asyncDispose]()),
    );
  }
}

function show(status: string): Record<string, string> {
  return { ...Object.fromEntries(HEALTHY.map((id) => [id, "live"])), [SICK]: status };
}

function blockedFor(ms: number): readonly string[] {
  const node = new URL("blocking_node.ts", import.meta.url).href;
  return ["env", `BLOCK_MS=${ms}`, Deno.execPath(), "run", "-A", "--quiet", node];
}

/** Rules for the packets between hosts, in the place's own table of nft. */
async function filter(...rules: string[]): Promise<void> {
  const script = `flush table ip chaos\ntable ip chaos {\n chain forward {
    type filter hook forward priority 0; policy accept;\n${rules.join("\n")}\n }\n}\n`;
  const child = new Deno.Command("nft", { args: ["-f", "-"], stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  assert((await child.status).success);
}

async function shell(script: string): Promise<void> {
  assert((await new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).output()).success);
}

function hostOf({ address }: NodeProcess): string {
  return address.replace(/:.*/, "");
}

/** Callers that connect, send nothing and stay, as many as a node takes. */
class Crowd implements Disposable {
  readonly #node: NodeProcess;
  readonly #conns: Deno.Conn[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #over = false;

  constructor(node: NodeProcess) {
    this.#node = node;
    this.#timer = setInterval(() => void this.#come(), CROWD_EVERY_MS);
  }

  async #come(): Promise<void> {
    if (this.#conns.length >= CROWD_MAX) return;
    const [hostname = "", port] = this.#node.address.split(":");
    const conn = await Deno.connect({ hostname, port: Number(port) }).catch(() => undefined);
    if (conn === undefined) return;
    if (this.#over) conn.close();
    else this.#conns.push(conn);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearInterval(this.#timer);
    for (const conn of this.#conns) conn.close();
  }
}

/** A node's packets are dropped in one of their two ways: it is gone for the others, and they for it. */
async function runOneWay(
  way: "ip saddr" | "ip daddr",
  place: Namespaces | undefined,
): Promise<void> {
  await using ward = await Ward.open({}, place);
  await filter(`${way} ${hostOf(ward.sick)} drop`);
  await ward.shows("dead");
  await ward.knowsItIsCutOff();
  await filter();
  await ward.shows("live");
  // A call that was under way when packets were dropped first: its connection had been accepted.
  ward.assertSaid("dead", ...ward.said.filter((status) => status === "unresponsive"));
}

/** What can ail a node. */
interface Ill {
  /** What it takes besides processes. */
  readonly needs?: "namespaces" | "a CPU group";
  run(place?: Namespaces): Promise<void>;
}

export const ILLS: Readonly<Record<string, Ill>> = {
  "an event loop blocked for less than dead-after is nothing": {
    async run() {
      await using ward = await Ward.open({ program: blockedFor(HICCUP_MS) });
      ward.sick.kill("SIGUSR2");
      await ward.beatsFor(2);
      ward.assertSaid();
      ward.assertNobodyAccused();
    },
  },
  "a node whose event loop is blocked is unresponsive, and live again": {
    async run() {
      await using ward = await Ward.open({ program: blockedFor(BLOCKED_MS) });
      ward.sick.kill("SIGUSR2");
      await ward.shows("unresponsive");
      await ward.shows("live");
      ward.assertSaid("unresponsive");
      ward.assertNobodyAccused();
    },
  },
  "a stopped node stays unresponsive for as long as it is stopped": {
    async run() {
      await using ward = await Ward.open({});
      ward.sick.kill("SIGSTOP");
      await ward.shows("unresponsive");
      await ward.isSilentFor(6);
      ward.sick.kill("SIGCONT");
      await ward.shows("live");
      ward.assertSaid("unresponsive");
      ward.assertNobodyAccused();
    },
  },
  "a node without file descriptors left is live while it is heard, and says what it lacks": {
    async run() {
      const limited = ["sh", "-c", `ulimit -n ${DESCRIPTORS} && exec "$@"`, "sh"];
      await using ward = await Ward.open({ program: [...limited, ...programCommand()] });
      {
        using _crowd = new Crowd(ward.sick);
        await ward.remarks(/^warning: cannot accept connections: .*Too many open files/);
        await ward.beatsFor(2);
      }
      await ward.remarks(/^null$/);
      ward.assertSaid();
      ward.assertNobodyAccused();
    },
  },
  "a node whose disk is full is live, and says that it cannot save its state": {
    needs: "namespaces",
    async run(place) {
      const disk = await Deno.makeTempDir();
      await shell(`mount -t tmpfs -o size=64k none ${disk}`);
      await using ward = await Ward.open({ flags: `-state ${disk}/state` }, place);
      await shell(`dd if=/dev/zero of=${disk}/filling bs=1k count=64 || true`);
      // A decommission is saved at once.
      await get(ward.sick, "/bye?id=n9&unknown=yes");
      await ward.remarks(/warning: .*No space left on device/);
      await shell(`rm ${disk}/filling`);
      await ward.remarks(/^null$/);
      ward.assertSaid();
      ward.assertNobodyAccused();
    },
  },
  "a node that nobody can call is live, as it calls others": {
    needs: "namespaces",
    async run(place) {
      await using ward = await Ward.open({}, place);
      await filter(`ip daddr ${hostOf(ward.sick)} tcp dport ${PORT} drop`);
      await ward.beatsFor(4);
      ward.assertSaid();
      ward.assertNobodyAccused();
    },
  },
  "a node that can call nobody is live, as others call it": {
    needs: "namespaces",
    async run(place) {
      await using ward = await Ward.open({}, place);
      await filter(`ip saddr ${hostOf(ward.sick)} tcp dport ${PORT} drop`);
      await ward.beatsFor(4);
      ward.assertSaid();
      ward.assertNobodyAccused();
    },
  },
  "a node whose packets get out and none in is dead, and knows that it is cut off": {
    needs: "namespaces",
    run: (place) => runOneWay("ip daddr", place),
  },
  "a node whose packets get in and none out is dead, and knows that it is cut off": {
    needs: "namespaces",
    run: (place) => runOneWay("ip saddr", place),
  },
  "a node whose packets are dropped after the handshake is unresponsive": {
    needs: "namespaces",
    async run(place) {
      await using ward = await Ward.open({}, place);
      // Those with data in them.
      const data = "tcp flags & psh == psh drop";
      await filter(
        `ip daddr ${hostOf(ward.sick)} ${data}`,
        `ip saddr ${hostOf(ward.sick)} ${data}`,
      );
      await ward.shows("unresponsive");
      await ward.isSilentFor(6);
      await ward.knowsItIsCutOff();
      await filter();
      await ward.shows("live");
      ward.assertSaid("unresponsive");
    },
  },
  "a node starved of CPU is slow or unresponsive, and never dead": {
    needs: "a CPU group",
    async run() {
      await using ward = await Ward.open({});
      await using group = await CpuGroup.make(`gossiper-sick-${Deno.pid}`, STARVED_SHARE);
      await group.take(ward.sick.pid);
      await group.addBusy(BUSY);
      await ward.isSeenSick();
      await ward.passes(4);
      await ward.isSeenSick();
      assert(!ward.said.includes("dead"), ward.healthy[0]!.lines.join("\n"));
      ward.assertSaid(...ward.said);
      ward.assertNobodyAccused();
    },
  },
};

/** Why this ill cannot be had here; undefined: it can. */
export async function lacks({ needs }: Ill): Promise<string | undefined> {
  if (needs === "namespaces") {
    const command = await unshared(["true"]);
    return typeof command === "string" ? `no namespaces: ${command}` : undefined;
  }
  if (needs === undefined) return undefined;
  try {
    await using _group = await CpuGroup.make(`gossiper-try-${Deno.pid}`, 1);
    return undefined;
  } catch (error) {
    return `no CPU group: ${error instanceof Error ? error.message : error}`;
  }
}

/** Runs an ill, in namespaces of its own where it needs them. */
export async function runIll(name: string): Promise<void> {
  const ill = ILLS[name]!;
  if (ill.needs !== "namespaces") return await ill.run();
  const self = [Deno.execPath(), "run", "-A", "--quiet", import.meta.filename!, "--inside", name];
  const command = await unshared(self);
  assert(typeof command !== "string", `no namespaces: ${command}`);
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const text = new TextDecoder();
  assert(success, text.decode(stdout) + text.decode(stderr));
}

if (import.meta.main) {
  const [flag, ...rest] = Deno.args;
  if (flag === "--inside") {
    await ILLS[rest[0]!]!.run(new Namespaces());
    Deno.exit(0);
  }
  for (const name of Object.keys(ILLS)) {
    if (Deno.args.length > 0 && !Deno.args.some((part) => name.includes(part))) continue;
    const why = await lacks(ILLS[name]!);
    const sinceMs = performance.now();
    if (why === undefined) await runIll(name);
    const tookS = ((performance.now() - sinceMs) / 1000).toFixed(1);
    console.log(why === undefined ? `ok, ${tookS} s: ${name}` : `left out, ${why}: ${name}`);
  }
  Deno.exit(0);
}
