/**
 * Attacks by strangers on a cluster of five real nodes with 1,000 members, each node in a memory cgroup of 512 MB where
 * this system has one: `deno task bench:hostile [SECONDS] [ATTACK...]`, by default all attacks for 60 s each.
 *
 * For each attack: the share of good answers of /healthz, its slowest, false deaths that any node logged, the peak of a
 * node's memory, its memory before and a minute after, and nodes killed. What must hold: 100 % good, no death, none
 * killed, memory back within 10 %. First comes as long a run without any attack: what fails there too is this machine's
 * load.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { KeyFile } from "../support/key_file.ts";
import { Keyring } from "../../lib/net/keys.ts";
import { Signer } from "../../lib/net/signer.ts";
import { get, type NodeProcess, spawnNode } from "../support/nodes.ts";
import { programCommand } from "../support/program.ts";
import { type Attack, ATTACKS, NO_ATTACK } from "./hostile_attacks.ts";
import { cgroupCommand, memoryOf, removeCgroups } from "./hostile_memory.ts";

const NODES = 5;
const MEMBERS = 1_000;
const KEY = "the-key-that-no-attacker-here-has";
const PROBE_EVERY_MS = 200;

/** Beyond it a probe has failed: Kubernetes' default is 1 s, on a machine that does nothing but the attack. */
const PROBE_MS = 5_000;

/** By then the memory that an attack took is back. */
const RECOVERED_MS = 60_000;

const ROSTER = "0".repeat(16);

const HEALTHZ = "/healthz failed";

const [secondsText = "60", ...chosen] = Deno.args;
const keyFile = await KeyFile.with(KEY);

/** Tells a node of 1,000 members that died long ago, at addresses where nobody listens. */
async function fill(node: NodeProcess): Promise<void> {
  const rows = Array.from({ length: MEMBERS }, (_, i) => {
    return [`web-${i}`, `127.9.${i >> 8}.${i & 255}:9`, 1e12, 5_000_000, "00000001"];
  });
  const body = JSON.stringify({ v: 2, roster: ROSTER, rows });
  const target = "/hello?from=filler&via=127.9.9.9:9";
  const signer = new Signer({ keyring: new Keyring([KEY]), cluster: "default", wallMs: Date.now });
  const { authorization } = await signer.sign({ method: "POST", target, body });
  const init = { method: "POST", body, headers: { authorization } };
  const response = await fetch(`http://${node.address}${target}`, init);
  if (response.status !== 200) throw new Error(await response.text());
  await response.body?.cancel();
}

async function spawnCluster(cluster: Attack["cluster"]): Promise<NodeProcess[]> {
  const nodes: NodeProcess[] = [];
  for (let i = 0; i < NODES; i++) {
    const join = nodes.length === 0 ? "" : ` -join ${nodes[0]!.address}`;
    const isPrivate = cluster === "private" ? " -private" : "";
    const key = cluster === "open" ? "" : ` -key-file ${keyFile.path}${isPrivate}`;
    const flags = `-interval 1s -dead-after 5s${key}${join}`;
    nodes.push(await spawnNode(`n${i}`, flags, await cgroupCommand(`n${i}`, programCommand())));
  }
  await fill(nodes[0]!);
  await pause(5_000);
  // What a node uses when it has been asked for everything, as it will be.
  for (const node of nodes) for (let i = 0; i < 20; i++) await get(node, "/members");
  await pause(5_000);
  return nodes;
}

/** The status that /healthz answers, as a kubelet sees it; 0 for none in time. */
async function probe({ address }: NodeProcess): Promise<number> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await fetch(`http://${address}/healthz`, { signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

/** Runs one attack and prints its figures. Returns what did not hold, in words; empty if all did. */
async function run(name: string): Promise<string[]> {
  const nodes = await spawnCluster(ATTACKS[name]!.cluster);
  const before = Math.max(...await Promise.all(nodes.map(memoryOf)));
  const linesBefore = nodes.map(({ lines }) => lines.length);
  const probes = { good: 0, bad: 0, slowestMs: 0 };
  let peak = 0;
  const stop = new AbortController();
  const probing = (async () => {
    while (!stop.signal.aborted) {
      await Promise.all(nodes.map(async (node) => {
        const startMs = performance.now();
        const status = await probe(node);
        probes.slowestMs = Math.max(probes.slowestMs, performance.now() - startMs);
        status === 200 ? probes.good++ : probes.bad++;
      }));
      peak = Math.max(peak, ...await Promise.all(nodes.map(memoryOf)));
      await pause(PROBE_EVERY_MS);
    }
  })();
  const addresses = nodes.map(({ address }) => address);
  // An attacker has a machine of his own; here the nodes come first.
  const attacker = new Deno.Command("nice", {
    args: [
      ...[
        "-n",
        "19",
        Deno.execPath(),
        "run",
        "-A",
        "--quiet",
        new URL("hostile_attacks.ts", import.meta.url).href,
      ],
      ...[name, secondsText, ...addresses],
    ],
    stdin: "null",
  }).spawn();
  await attacker.status;
  stop.abort();
  await probing;
  await pause(RECOVERED_MS);
  const after = Math.max(...await Promise.all(nodes.map(memoryOf)));
  // The filler's members were dead from the start, and spread.
  const lines = nodes.flatMap(({ lines }, i) => lines.slice(linesBefore[i]))
    .filter((line) => !/ web-| 127\.9\./.test(line));
  const deaths = lines.filter((line) => /peer is dead: n\d/.test(line)).length;
  const bugs = lines.filter((line) => line.includes("BUG")).length;
  const killed = (await Promise.all(nodes.map(memoryOf))).filter((bytes) => bytes === 0).length;
  const kinds = Map.groupBy(lines, (line) => line.slice(24).replaceAll(/\d[\d.:]*/g, "#"));
  const goodShare = 100 * probes.good / (probes.good + probes.bad);
  for (const node of nodes) await node[Symbol.asyncDispose]();
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `${name.padEnd(18)} healthz ${goodShare.toFixed(1)} % good, slowest ${
      Math.round(probes.slowestMs)
    } ms; ${deaths} deaths; ${killed} killed; ${bugs} bugs; ${lines.length} log lines; memory ` +
      `${megabytes(before)}, peak ${megabytes(peak)}, after ${megabytes(after)}`,
  );
  const frequent = [...kinds].toSorted((a, b) => b[1].length - a[1].length).slice(0, 4);
  for (const [kind, { length }] of frequent) console.log(`    ${length} x ${kind.slice(0, 150)}`);
  const broken = [
    probes.bad > 0 && HEALTHZ,
    deaths > 0 && "false deaths",
    killed > 0 && "a node was killed",
    bugs > 0 && "a bug was logged",
    after > 1.1 * before && "memory is not back",
  ].filter((text) => text !== false);
  console.log(`${name}: ${broken.length === 0 ? "PASS" : `FAIL: ${broken.join(", ")}`}`);
  return broken;
}

const failed: string[] = [];
try {
  const quiet = await run(NO_ATTACK);
  for (const name of chosen.length > 0 ? chosen : Object.keys(ATTACKS)) {
    if (name === NO_ATTACK) continue;
    const broken = await run(name);
    const load = broken.filter((text) => quiet.includes(text));
    if (load.length > 0) console.log(`    fails without an attack, too: ${load.join(", ")}`);
    if (broken.length > load.length) failed.push(name);
  }
} finally {
  await keyFile[Symbol.asyncDispose]();
  await removeCgroups();
}
console.log(failed.length === 0 ? "all held" : `NOT held: ${failed.join(", ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);
