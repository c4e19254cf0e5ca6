/** Told once, by real nodes: who dies is told by one of the living, under one key, whoever else dies and is down. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HookMessage } from "../../lib/host/hook_words.ts";
import { eventually } from "../support/eventually.ts";
import { readExposition, value } from "../support/exposition.ts";
import { eventuallyShow, get, type NodeProcess, runProgram, spawnNode } from "../support/nodes.ts";

/** A receiver that records what it gets; while it is down nobody listens on its port. */
class Receiver implements AsyncDisposable {
  readonly got: { key: string; message: HookMessage }[] = [];
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #port = 0;

  constructor() {
    this.open();
    this.#port = this.#server!.addr.port;
  }

  get hook(): string {
    return `http://127.0.0.1:${this.#port}/,name=pager`;
  }

  open(): void {
    const address = { hostname: "127.0.0.1", port: this.#port, onListen: () => {} };
    this.#server = Deno.serve(address, async (request) => {
      const key = request.headers.get("idempotency-key")!;
      this.got.push({ key, message: await request.json() });
      return new Response();
    });
  }

  async close(): Promise<void> {
    await this.#server?.shutdown();
    this.#server = undefined;
  }

  /** All that was told of a member's new status: who told, and under which key. */
  of(id: string, to: string): { key: string; by: string }[] {
    return this.got.filter(({ message }) =>
      message.changes.some((change) => change.id === id && change.to === to)
    ).map(({ key, message }) => ({ key, by: message.by }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Rounds after which a node tells: it holds its tongue for dead-after and two intervals after it met the others, which
 * are seven, and news make some rounds come sooner.
 */
const SETTLED_ROUNDS = 20;

async function metric(node: NodeProcess, sample: string): Promise<number> {
  return value(readExposition(await get(node, "/metrics")), sample);
}

/** Nodes that carry the same hook, see each other, and tell from now on. */
async function startCarriers(hook: string, count: number, flags = ""): Promise<NodeProcess[]> {
  const common = `-on-change ${hook} ${flags}`;
  const first = await spawnNode("n1", common);
  const others = await Promise.all(
    Array.from(
      { length: count - 1 },
      (_, i) => spawnNode(`n${i + 2}`, `-join ${first.address} ${common}`),
    ),
  );
  const nodes = [first, ...others];
  await eventuallyShow(nodes, Object.fromEntries(nodes.map(({ id }) => [id, "live"])));
  await settle(nodes);
  return nodes;
}

async function settle(nodes: readonly NodeProcess[]): Promise<void> {
  await Promise.all(nodes.map(async (node) => {
    const seen = await metric(node, "gossiper_rounds_total");
    await eventually(async () => {
      assert(await metric(node, "gossiper_rounds_total") >= seen + SETTLED_ROUNDS);
    });
  }));
}

/** Kills a node, and takes it out of the list. */
async function kill(nodes: NodeProcess[], id: string): Promise<void> {
  const [node] = nodes.splice(nodes.findIndex((each) => each.id === id), 1);
  node!.kill("SIGKILL");
  await node!.exit();
}

/** Waits until all nodes know that a hook was told of a member's new status: from then on nobody has to. */
async function eventuallyTold(nodes: readonly NodeProcess[], id: string, to: string) {
  for (const node of nodes) {
    await eventually(async () => {
      const { told } = JSON.parse(await get(node, `/members/${id}`));
      assertEquals(told.at(-1)?.to, to, `${node.id} knows of none: ${node.lines.join("\n")}`);
    });
  }
}

/** Stops what still runs at the end of a test. */
function stopping(nodes: readonly NodeProcess[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

Deno.test("three nodes with a hook, one killed: it is told once, under one key, and live again once", async () => {
  await using receiver = new Receiver();
  const nodes = await startCarriers(receiver.hook, 3);
  await using _nodes = stopping(nodes);
  assertEquals(receiver.got, [], "a start tells nothing");
  await kill(nodes, "n3");
  await eventuallyTold(nodes, "n3", "dead");
  const [dead, ...more] = receiver.of("n3", "dead");
  assertEquals(more, [], JSON.stringify(receiver.got));
  assertMatch(dead!.key, /^n3\/[0-9a-f]{8}\/dead\/\d+$/);
  const { message } = receiver.got[0]!;
  assertMatch(message.text, /^n3 is dead: /);
  assertEquals([message.hook, message.changes[0]!.from], ["pager", "live"]);
  // Everybody can read who told, and what came of it.
  for (const node of nodes) {
    const { told: [told] } = JSON.parse(await get(node, "/members/n3"));
    assertEquals([told.hook, told.by, told.result], ["pager", dead!.by, "200"]);
  }
  const why = await runProgram(["why", "n3", "-at", nodes[0]!.address]);
  assertMatch(why.stdout, new RegExp(`^told pager by ${dead!.by} at .* \\(200\\)$`, "m"));
  const counts = await Promise.all(
    nodes.map((node) => metric(node, 'gossiper_hook_told_total{hook="pager"}')),
  );
  assertEquals(counts.toSorted(), [0, 1]);
  nodes.push(await spawnNode("n3", `-join ${nodes[0]!.address} -on-change ${receiver.hook}`));
  await eventuallyTold(nodes, "n3", "live");
  assertEquals(receiver.of("n3", "live").length, 1);
  assertEquals(receiver.got.length, 2, JSON.stringify(receiver.got));
});

Deno.test("the node whose turn it is dies with whom it would tell of: another tells of both", async () => {
  await using receiver = new Receiver();
  const nodes = await startCarriers(receiver.hook, 4);
  await using _nodes = stopping(nodes);
  await kill(nodes, "n4");
  await eventuallyTold(nodes, "n4", "dead");
  // The order is the hook's: who told first would tell again.
  const first = receiver.of("n4", "dead")[0]!.by;
  const [second, third] = nodes.map(({ id }) => id).filter((id) => id !== first);
  await Promise.all([kill(nodes, first), kill(nodes, second!)]);
  for (const id of [first, second!]) {
    await eventuallyTold(nodes, id, "dead");
    assertEquals(
      receiver.of(id, "dead").map(({ by }) => by),
      [third],
      JSON.stringify(receiver.got),
    );
  }
});

Deno.test("a receiver that is down gets the change once it is up, once", async () => {
  await using receiver = new Receiver();
  const nodes = await startCarriers(receiver.hook, 3);
  await using _nodes = stopping(nodes);
  await receiver.close();
  await kill(nodes, "n3");
  const sum = async (name: string) => {
    const each = nodes.map((node) => metric(node, `gossiper_hook_${name}{hook="pager"}`));
    return (await Promise.all(each)).reduce((a, b) => a + b);
  };
  await eventually(async () => assert(await sum("failed_total") >= 2));
  assert(await sum("pending") >= 1);
  assert(await sum("oldest_pending_seconds") > 0);
  receiver.open();
  // It waits a few seconds by then, which grow with each failure.
  await eventuallyTold(nodes, "n3", "dead");
  assertEquals(receiver.of("n3", "dead").length, 1);
  assertEquals([receiver.got.length, await sum("pending")], [1, 0]);
});

Deno.test("quiet: nobody is told while it lasts, whichever node is asked; at its end what still lasts is told", async () => {
  await using receiver = new Receiver();
  const nodes = await startCarriers(receiver.hook, 3);
  await using _nodes = stopping(nodes);
  const [first] = nodes;
  const quiet = ["quiet", "n*", "-at", first!.address];
  const asked = await runProgram([...quiet, "--for", "2h", "--why", "deploy"]);
  assertMatch(asked.stdout, /^no hook tells of n\* until .* UTC\n$/);
  for (const node of nodes) {
    await eventually(async () => {
      const [view] = JSON.parse(await get(node, "/members")).quiet;
      assertEquals([view?.id, view?.why, view?.by], ["n*", "deploy", "n1"], node.id);
    });
  }
  await kill(nodes, "n3");
  await eventuallyShow(nodes, { n1: "live", n2: "live", n3: "dead" });
  await settle(nodes);
  assertEquals(receiver.got, []);
  const ended = await runProgram([...quiet, "--end"]);
  assertEquals([ended.code, ended.stdout], [0, "hooks tell of n* again\n"]);
  await eventuallyTold(nodes, "n3", "dead");
  assertEquals(receiver.of("n3", "dead").length, 1);
});

Deno.test("gossiper hook test: the node runs its hook with a change that is made up, and the status says what came of it", async () => {
  await using receiver = new Receiver();
  await using node = await spawnNode(
    "n1",
    `-on-change ${receiver.hook} -on-change false,name=fails`,
  );
  const test = (name: string) => runProgram(["hook", "test", name, "-at", node.address]);
  const fine = await test("pager");
  assertEquals([fine.code, fine.stdout], [0, "pager took it: 200\n"]);
  const [{ message }] = receiver.got as [typeof receiver.got[0]];
  assertEquals([message.test, message.by], [true, "n1"]);
  const failed = await test("fails");
  assertEquals([failed.code, failed.stderr.trim()], [
    1,
    "gossiper: fails did not take it: exited with 1",
  ]);
  const unknown = await test("other");
  assertEquals(unknown.code, 1);
  assertMatch(unknown.stderr, /has no hook 'other'; it has pager, fails/);
});

Deno.test("a node that starts again with its state file tells nothing twice, and what ended meanwhile once", async () => {
  await using receiver = new Receiver();
  const folder = await Deno.makeTempDir();
  const flags = (id: string) => `-state ${folder}/${id}.state -on-change ${receiver.hook}`;
  const nodes = [await spawnNode("n1", flags("n1"))];
  await using _nodes = stopping(nodes);
  const join = `-join ${nodes[0]!.address}`;
  nodes.push(await spawnNode("n2", join));
  await eventuallyShow(nodes, { n1: "live", n2: "live" });
  await settle(nodes.slice(0, 1));
  await kill(nodes, "n2");
  await eventuallyTold(nodes, "n2", "dead");
  nodes[0]!.kill("SIGTERM");
  await nodes.pop()!.exit();
  nodes.push(await spawnNode("n1", flags("n1")));
  await eventuallyShow(nodes, { n1: "live", n2: "dead" });
  await settle(nodes);
  assertEquals(receiver.of("n2", "dead").length, 1);
  nodes.push(await spawnNode("n2", `-join ${nodes[0]!.address}`));
  await eventuallyTold(nodes.slice(0, 1), "n2", "live");
  assertEquals([receiver.of("n2", "live").length, receiver.got.length], [1, 2]);
  await Deno.remove(folder, { recursive: true });
});
