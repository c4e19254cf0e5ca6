/**
 * A crowd at one node of three: `deno run -A tests/bench/crowd.ts [IDLE] [RATE] [SECONDS]`, by default 10,000 idle connections
 * and 5,000 requests a second for 20 s. Says whether the other two ever called it dead, how late its rounds were, and its memory.
 *
 * @module
 */
import { spawnNode } from "../support/nodes.ts";
import { connect, latin1, writeAll } from "../support/raw.ts";

const [idle = 10_000, rate = 5_000, seconds = 20] = Deno.args.map(Number);

/** Connections that the flood comes on. */
const FLOOD_CONNECTIONS = 50;

/** Requests sent ahead on one connection. */
const AHEAD = 10;

const REQUEST = latin1("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(AHEAD));

const pace = "-interval 1s -dead-after 5s";
await using a = await spawnNode("a", pace);
await using b = await spawnNode("b", `${pace} -join ${a.address}`);
await using c = await spawnNode("c", `${pace} -join ${a.address}`);
await new Promise((resolve) => setTimeout(resolve, 3_000));

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://${a.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

/** Rounds of `a` that began more than this late, by its own histogram. */
async function lateRounds(seconds: string): Promise<number> {
  const bucket = `gossiper_round_lateness_seconds_bucket\\{le="${seconds}"\\}`;
  return await metric("gossiper_round_lateness_seconds_count") - await metric(bucket);
}

const megabytes = async () => Math.round(await metric("process_resident_memory_bytes") / 1e6);
console.log(`before: ${await megabytes()} MB`);

const crowd: Deno.TcpConn[] = [];
const startMs = performance.now();
for (let i = 0; i < idle; i++) {
  const conn = await connect(a.address);
  crowd.push(conn);
  if (i % 2 === 0) await writeAll(conn, latin1("GET / HTTP/1.1\r\nhost:"));
}
const tookMs = Math.round(performance.now() - startMs);
console.log(
  `${idle} idle connections, half of them with half a head, in ${tookMs} ms: ${await megabytes()} MB`,
);

let answered = 0;
const endMs = performance.now() + seconds * 1_000;
const flood = Array.from({ length: FLOOD_CONNECTIONS }, async () => {
  const conn = await connect(a.address);
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder("latin1");
  const everyMs = 1_000 * AHEAD * FLOOD_CONNECTIONS / rate;
  for (let nextMs = performance.now(); nextMs < endMs; nextMs += everyMs) {
    const waitMs = nextMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await writeAll(conn, REQUEST);
    for (let left = AHEAD; left > 0;) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("the node hung up");
      left -= decoder.decode(buffer.subarray(0, count)).split("hello a\n").length - 1;
    }
    answered += AHEAD;
  }
  conn.close();
});
await Promise.all(flood);
console.log(
  `${
    Math.round(answered / seconds)
  } requests a second answered for ${seconds} s: ${await megabytes()} MB`,
);
console.log(
  `rounds over 100 ms late: ${await lateRounds("0.1")}, over 1 s: ${await lateRounds("1")}`,
);
for (const conn of crowd) conn.close();
await new Promise((resolve) => setTimeout(resolve, 2_000));
console.log(`after: ${await megabytes()} MB`);
const deaths = [b, c].flatMap(({ lines }) => lines.filter((line) => line.includes("peer is dead")));
console.log(deaths.length === 0 ? "the other two never called it dead" : deaths.join("\n"));
