/**
 * An outage of the name server, for a cluster with a key: five nodes, by name, and dead members whose names cannot be
 * looked up. It needs the system's resolver and port 53, and runs as root on Linux in namespaces of its own:
 *
 *     deno run -A tests/process/outage.ts [DEAD] [SECONDS]
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Keyring } from "../../lib/net/keys.ts";
import { signedTransport, Signer } from "../../lib/net/signer.ts";
import { createTransport } from "../../lib/net/transport.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { eventually } from "../support/eventually.ts";
import { NameServer } from "../support/name_server.ts";
import { eventuallyShow, get, members, type NodeProcess, spawnNode } from "../support/nodes.ts";
import { rowOf } from "../support/peer.ts";
import { runUnshared } from "../support/unshared.ts";

const KEY = "the-key-of-this-test-cluster";
const IDS = ["n1", "n2", "n3", "n4", "n5"];

/** Slow enough that a busy machine starves nobody for as long as dead-after. */
const PACE = "-interval 500ms -dead-after 5s";

/** Dead members by name, and how long the outage lasts at least. */
export interface Outage {
  readonly dead: number;
  readonly lastsMs: number;
}

async function outage(folder: string, { dead, lastsMs }: Outage): Promise<void> {
  await using server = await NameServer.start(53);
  for (const id of IDS) server.names.set(`${id}.test`, { A: ["127.0.0.1"] });
  const keyFile = `${folder}/keys`;
  await Deno.writeTextFile(keyFile, KEY);
  await using stack = new AsyncDisposableStack();
  const nodes: NodeProcess[] = [];
  for (const id of IDS) {
    const state = `${folder}/${id}.state`;
    const join = nodes[0] === undefined ? "" : `-join n1.test:${portOf(nodes[0])}`;
    const flags = `${PACE} -key-file ${keyFile} -state ${state} -advertise ${id}.test ${join}`;
    nodes.push(stack.use(await spawnNode(id, flags)));
  }
  await eventuallyShow(nodes, Object.fromEntries(IDS.map((id) => [id, "live"])));

  server.mute = true;
  const names = Array.from({ length: dead }, (_, i) => `dead${i}.test`);
  await tellDead(nodes[0]!.address, names);
  const startMs = performance.now();
  const since = await Promise.all(nodes.map((node) => heartbeats(node)));
  // Each hears all others for thrice dead-after, in which the names of the dead are looked up in vain.
  await eventually(async () => {
    if (deaths(nodes).length > 0) return;
    assert(performance.now() - startMs >= lastsMs, "the outage goes on");
    for (const name of names) assert(server.asked.has(name), `nobody looks up ${name}`);
    for (const [i, node] of nodes.entries()) {
      for (const [id, ms] of await heartbeats(node)) {
        const heardMs = ms - since[i]!.get(id)!;
        assert(heardMs >= 15_000, `${node.id} has heard ${id} for ${heardMs} ms only`);
      }
    }
  }, { withinMs: Math.max(lastsMs, 40_000) + 40_000 });
  assertEquals(deaths(nodes), []);
  const headers = { authorization: `Bearer ${KEY}` };
  for (const [i, node] of nodes.entries()) {
    const bye = await fetch(`http://${node.address}/bye?id=dead${i}&unknown=yes`, { headers });
    assertEquals(bye.status, 200, await bye.text());
    await eventually(async () => {
      assertStringIncludes(await Deno.readTextFile(`${folder}/${node.id}.state`), `dead${i}`);
    });
    assertEquals((await get(node, "/healthz")).split("\n")[0], "ok");
  }
  assertEquals(deaths(nodes), []);
  const lastedS = ((performance.now() - startMs) / 1_000).toFixed(0);
  console.log(`${lastedS} s of outage, ${dead} dead members by name: no node was called dead`);
}

/** The deaths of the five, who all live, that they logged. */
function deaths(nodes: readonly NodeProcess[]): string[] {
  return nodes.flatMap(({ id, lines }) =>
    lines.filter((line) => /peer is dead: n[1-5] /.test(line)).map((line) => `${id}: ${line}`)
  );
}

/** The latest heartbeat of each of the five that a node knows, in ms since the epoch. */
async function heartbeats(node: NodeProcess): Promise<Map<string, number>> {
  const rows = (await members(node)).filter(({ id }) => IDS.includes(id));
  return new Map(rows.map(({ id, lastHeartbeat }) => [id, Date.parse(lastHeartbeat!)]));
}

/** Tells a node of members that beat a moment ago and never will again, as a peer with the key. */
async function tellDead(address: string, names: readonly string[]): Promise<void> {
  const keyring = new Keyring([KEY]);
  const signer = new Signer({ keyring, cluster: "default", wallMs: Date.now });
  const options = { timeoutMs: 10_000, bodyBytesMax: 1_000_000 };
  const transport = signedTransport(createTransport(options), signer);
  const rows = names.map((name) => rowOf(name.replace(".test", ""), { address: `${name}:8080` }));
  const body = encodeMessage({ roster: "0".repeat(16), rows });
  const outcome = await transport.post(address, "/hello?from=teller&via=127.0.0.1:1", body);
  transport.close();
  assert(outcome.kind === "answer" && outcome.status === 200, JSON.stringify(outcome));
}

function portOf({ address }: NodeProcess): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

/** The outage in a place of its own; its status and what it says. */
export function runOutage(outage: Outage): Promise<{ code: number; output: string }> {
  const args = [String(outage.dead), String(outage.lastsMs)];
  return runUnshared(new URL(import.meta.url), { args: ["--inside", ...args] });
}

async function inside([folder = "", dead, lastsMs]: readonly string[]): Promise<number> {
  try {
    await outage(folder, { dead: Number(dead), lastsMs: Number(lastsMs) });
    return 0;
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function main(): Promise<number> {
  const [dead = "40", seconds = "120"] = Deno.args;
  const { code, output } = await runOutage({
    dead: Number(dead),
    lastsMs: 1_000 * Number(seconds),
  });
  console.log(output.trim());
  return code;
}

if (import.meta.main) {
  const [folder = "", flag, ...rest] = Deno.args;
  Deno.exit(await (flag === "--inside" ? inside([folder, ...rest]) : main()));
}
