/**
 * Hostile requests by the million at three nodes of a cluster with a key: `deno run -A tests/bench/rubbish.ts [REQUESTS] [SEED]`.
 * Says whether all three are live in every table, the tables hold nobody else, and how their memory went.
 *
 * @module
 */
import { KeyFile } from "../support/key_file.ts";
import { spawnNode, statuses } from "../support/nodes.ts";
import { seededRandom } from "../support/dice.ts";
import { connect, writeAll } from "../support/raw.ts";
import { Mutator } from "../fuzz/mutate.ts";
import { TARGETS } from "../fuzz/targets.ts";

const [requests = 1_000_000, seed = 1] = Deno.args.map(Number);

const CALLERS = 24;

/** Requests sent ahead on one connection: what comes back is not matched to them. */
const AHEAD = 16;

/** Answers that stay out, as after a malformed request, are not waited for longer. */
const WAIT_MS = 250;

/** What stands in Host, right and wrong. */
const HOSTS = ["a", "a", "127.0.0.1", "", "a b", "[", "a:b:c", "%", "@", "a/b", "?", "#"];

await using keyFile = await KeyFile.with("the-key-that-no-caller-here-has");
const flags = `-key-file ${keyFile.path} -interval 1s -dead-after 5s`;
await using a = await spawnNode("a", flags);
await using b = await spawnNode("b", `${flags} -join ${a.address}`);
await using c = await spawnNode("c", `${flags} -join ${a.address}`);
const nodes = [a, b, c];
await new Promise((resolve) => setTimeout(resolve, 3_000));

async function megabytes(): Promise<string> {
  const texts = nodes.map(async ({ address }) => {
    const text = await (await fetch(`http://${address}/metrics`)).text();
    return Math.round(Number(/^process_resident_memory_bytes (.*)$/m.exec(text)?.[1]) / 1e6);
  });
  return `${(await Promise.all(texts)).join(", ")} MB`;
}

/** A request, mostly well framed, so that it gets past the parser of HTTP. */
function requestOf(text: string, mutator: Mutator): string {
  const [method = "", path = "", ...body] = text.split(" ");
  const content = body.join(" ");
  const target = mutator.chance(0.95)
    ? encodeURI(path.toWellFormed()).replace(/^(?!\/)/, "/")
    : path;
  const verb = mutator.chance(0.98) ? method.replace(/[^A-Z]/g, "") || "GET" : method;
  const bytes = new TextEncoder().encode(content).length;
  const length = mutator.chance(0.98) ? bytes : mutator.below(100);
  const signed = mutator.chance(0.5)
    ? `authorization: Gossip ${Date.now()}.${"A".repeat(43)}\r\n`
    : "";
  return `${verb} ${target} HTTP/1.1\r\nhost: ${
    mutator.pick(HOSTS)
  }\r\n${signed}content-length: ${length}\r\n\r\n${content}`;
}

let sent = 0;
let answers = 0;
let tellAt = 0;
const { corpus } = TARGETS["http"]!;

async function call(mutator: Mutator): Promise<void> {
  const { address } = mutator.pick(nodes);
  using conn = await connect(address);
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder("latin1");
  for (let rounds = 0; rounds < 50 && sent < requests; rounds++) {
    const batch = Array.from({ length: AHEAD }, () => requestOf(mutator.text(corpus), mutator));
    sent += AHEAD;
    await writeAll(conn, new TextEncoder().encode(batch.join("")));
    const timer = setTimeout(() => conn.close(), WAIT_MS * 20);
    try {
      for (let left = AHEAD; left > 0;) {
        const count = await conn.read(buffer);
        if (count === null) return;
        const heads = decoder.decode(buffer.subarray(0, count)).split("HTTP/1.1 ").length - 1;
        left -= heads;
        answers += heads;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

console.log(`before: ${await megabytes()}`);
const startMs = performance.now();
await Promise.all(Array.from({ length: CALLERS }, async (_, i) => {
  const mutator = new Mutator(seededRandom(seed + i));
  while (sent < requests) {
    // Being hung up on is what these callers deserve.
    await call(mutator).catch(() => {});
    if (sent < tellAt) continue;
    tellAt += requests / 10;
    console.log(`${sent} sent, ${answers} answered: ${await megabytes()}`);
  }
}));
const tookS = Math.round((performance.now() - startMs) / 1_000);
console.log(`${sent} requests of seed ${seed} in ${tookS} s, ${answers} answered`);
await new Promise((resolve) => setTimeout(resolve, 2_000));
for (const node of nodes) console.log(`${node.id} shows ${JSON.stringify(await statuses(node))}`);
const lines = nodes.flatMap(({ lines }) => lines);
console.log(`deaths: ${lines.filter((line) => line.includes("peer is dead")).length}`);
console.log(`bugs: ${lines.filter((line) => line.includes("BUG")).join("\n") || "none"}`);
console.log(`log lines: ${lines.length}; after: ${await megabytes()}`);
