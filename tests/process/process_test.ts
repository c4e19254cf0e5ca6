import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { LineWriter } from "../../lib/host/process.ts";
import { eventually, within } from "../support/eventually.ts";
import {
  eventuallyLogs,
  eventuallyShow,
  get,
  type NodeProcess,
  spawnNode,
  startNode,
} from "../support/nodes.ts";
import { rowOf, tell } from "../support/peer.ts";
import { programCommand } from "../support/program.ts";
import { closedAddress } from "../support/raw.ts";

const CLUMSY = new URL("../support/clumsy_node.ts", import.meta.url).href;
const MISTAKEN = new URL("../support/mistaken_program.ts", import.meta.url).href;
const HASTY = new URL("../support/hasty_stop.ts", import.meta.url).href;

/** Starts a node whose program throws, once, where it would log a line like this. */
function spawnClumsy(line: string, flags = ""): Promise<NodeProcess> {
  return spawnNode("n1", flags, [Deno.execPath(), "run", "-A", "--quiet", CLUMSY, line]);
}

/** Waits for two heartbeats: rounds go on. */
async function eventuallyBeats(node: NodeProcess): Promise<void> {
  const heartbeat = async () => JSON.parse(await get(node, "/members/n1")).lastHeartbeat;
  for (let i = 0; i < 2; i++) {
    const before = await heartbeat();
    await eventually(async () => assertLess(before, await heartbeat()));
  }
  await eventually(async () => assertEquals(await get(node, "/healthz"), "ok\n"));
}

Deno.test("an error while a call's outcome is handled is reported, and the node runs on", async () => {
  await using n1 = await spawnClumsy("no answer from", `-join ${closedAddress()}`);
  await eventually(() => assert(n1.lines.includes("caught: Error: a mistake")));
  await eventuallyBeats(n1);
});

Deno.test("errors that nobody catches count in the metrics, and those of one place are logged once", async () => {
  await using n1 = await spawnNode("n1", "", [Deno.execPath(), "run", "-A", "--quiet", MISTAKEN]);
  await eventually(async () => assertMatch(await get(n1, "/metrics"), /^gossiper_bugs_total 3$/m));
  await eventually(() => {
    assertEquals(n1.lines.filter((line) => line.includes("BUG: Error: a mistake at ")).length, 1);
  });
  await eventuallyBeats(n1);
});

Deno.test("an error in a round is reported, and rounds go on", async () => {
  await using n1 = await spawnClumsy("peer is dead");
  {
    await using n2 = await spawnNode("n2", `-join ${n1.address}`);
    await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  }
  await eventually(() =>
    assert(n1.lines.includes("caught: Error: a mistake"), n1.lines.join("\n"))
  );
  await eventuallyBeats(n1);
  await eventuallyShow([n1], { n1: "live", n2: "dead" });
});

Deno.test("SIGTERM before the node exists is not lost: the program ends as planned", async () => {
  const args = ["run", "-A", "--quiet", HASTY, ..."-id n2 -port 0 -host 127.0.0.1".split(" ")];
  const child = new Deno.Command(Deno.execPath(), { args, stderr: "null", stdout: "null" }).spawn();
  const { code, signal } = await within(child.status, () => "it runs on");
  assertEquals([code, signal], [0, null]);
});

Deno.test("the first signal asks to stop; the second ends the process at once, by its number", async () => {
  for (const [first, second, status] of [["SIGTERM", "SIGINT", 130], ["SIGINT", "SIGTERM", 143]]) {
    // This program never finishes its stop.
    await using node = await spawnClumsy("no such line");
    node.kill(first as Deno.Signal);
    await eventually(() => assert(node.lines.includes("stops, in its own time")));
    assertEquals(await get(node, "/healthz"), "ok\n");
    node.kill(second as Deno.Signal);
    assertEquals(await node.exit(), status);
  }
});

const hasScript = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

// `script` (util-linux) runs a program in a terminal of its own.
Deno.test("a node ends, as planned, when the terminal it was started in is closed", {
  ignore: !hasScript,
}, async () => {
  const inTerminal = ["sh", "-c", 'exec script -qefc "$*" /dev/null', "sh", ...programCommand()];
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode("n2", `-join ${n1.address}`, inTerminal);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  n2.kill("SIGKILL"); // That is the terminal, not the node.
  await eventuallyShow([n1], { n1: "live", n2: "left" });
  // The log is written asynchronously.
  await eventually(() => {
    assert(
      n1.lines.some((line) => line.includes("peer has left: n2 (") && line.endsWith(": SIGHUP")),
      n1.lines.join("\n"),
    );
  });
});

Deno.test("a node without a terminal runs on after SIGHUP", async () => {
  await using n1 = await spawnNode("n1");
  n1.kill("SIGHUP");
  await eventuallyBeats(n1);
});

Deno.test("with -log json the log is JSON alone, also once a caller has waited at /live", async () => {
  await using node = await spawnNode("n1", "-log json");
  const { headers, body } = await fetch(`http://${node.address}/live`);
  await body?.cancel();
  const since = encodeURIComponent(headers.get("etag")!);
  // The first is judged by Deno as it is answered, and what it says of that is written before the second is.
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(`http://${node.address}/live?wait=1ms&since=${since}`);
    assertEquals(answer.status, 304);
  }
  node.kill("SIGTERM");
  assertEquals(await node.exit(), 0);
  for (const line of node.lines) assert(line.startsWith("{") && JSON.parse(line), line);
});

// /dev/full behaves like a full disk.
Deno.test(
  "a node whose log cannot be written runs on",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using n1 = await spawnNode("n1");
    const [program = "", ...args] = programCommand();
    const flags =
      `-id n2 -host 127.0.0.1 -port 0 -interval 200ms -dead-after 1s -join ${n1.address}`;
    const shell = ["-c", 'exec "$@" 2>/dev/full', "sh", program, ...args, ...flags.split(" ")];
    const n2 = new Deno.Command("sh", { args: shell, stdout: "null" }).spawn();
    await eventuallyShow([n1], { n1: "live", n2: "live" });
    n2.kill("SIGTERM");
    assertEquals((await n2.status).code, 0);
    await eventuallyShow([n1], { n1: "live", n2: "left" });
  },
);

Deno.test("a log that blocks, as on a paused terminal, delays no round", async () => {
  // Thousands of rows take a busy machine a while; a log that held the node up would do so for good.
  await using n1 = await spawnNode("n1", "-dead-after 10s");
  await using n2 = await spawnNode("n2", `-dead-after 10s -join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  const log = n1.holdLog();
  // More lines than a pipe holds.
  await tell(n1.address, Array.from({ length: 5_000 }, (_, i) => rowOf(`ghost${i}`)));
  try {
    for (let i = 0; i < 3; i++) await eventuallyBeats(n1);
    const accused = n2.lines.filter((line) => line.includes("peer is dead: n1"));
    assertEquals(accused, []);
  } finally {
    log.release();
  }
  await eventually(() => {
    const told = n1.lines.filter((line) => line.includes("peer is live: ghost"));
    assertEquals(told.length, 5_000);
  });
});

/** A slow writer: it accepts 7 bytes at a time, and none before it is opened. */
class Taker {
  text = "";
  fails = false;
  #gate = Promise.withResolvers<void>();
  readonly lost: number[] = [];
  readonly writer = new LineWriter({
    write: async (bytes) => {
      await this.#gate.promise;
      if (this.fails) throw new Error("no space left");
      this.text += new TextDecoder().decode(bytes.subarray(0, 7));
      return Math.min(bytes.length, 7);
    },
    onLost: (lines) => this.lost.push(lines),
    lengthMax: 10,
  });

  open(): void {
    this.#gate.resolve();
  }
}

Deno.test("LineWriter writes lines whole and in order, though few bytes are accepted at once", async () => {
  const taker = new Taker();
  taker.open();
  for (const line of ["first", "2nd"]) taker.writer.write(line);
  await taker.writer.flush();
  taker.writer.write("third");
  await taker.writer.flush();
  assertEquals([taker.text, taker.lost], ["first\n2nd\nthird\n", []]);
});

Deno.test("invariant 7: LineWriter buffers a bounded number of characters, and says how many lines it lost", async () => {
  const taker = new Taker();
  for (let i = 0; i < 100; i++) taker.writer.write(`${i % 10}`);
  taker.open();
  await taker.writer.flush();
  assertEquals([taker.text, taker.lost], ["0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", [90]]);
});

Deno.test("LineWriter drops lines that cannot be written, and goes on when it can", async () => {
  const taker = new Taker();
  taker.open();
  taker.fails = true;
  for (const line of ["a", "b"]) taker.writer.write(line);
  await taker.writer.flush();
  taker.fails = false;
  taker.writer.write("c");
  await taker.writer.flush();
  assertEquals([taker.text, taker.lost], ["c\n", [2]]);
});

Deno.test("LineWriter.flush() waits for a bounded time", async () => {
  const taker = new Taker();
  taker.writer.write("a");
  await taker.writer.flush();
  assertEquals(taker.text, "");
  taker.open();
  await taker.writer.flush();
  assertEquals(taker.text, "a\n");
});

Deno.test("/healthz tells a node whose calls nobody answers, until somebody does", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode("n2", `-join ${n1.address}`);
  await using n3 = await spawnNode("n3", `-join ${n1.address}`);
  await eventuallyShow([n1, n2, n3], { n1: "live", n2: "live", n3: "live" });
  for (const node of [n2, n3]) node.kill("SIGSTOP");
  await eventually(async () => assertMatch(await get(n1, "/healthz"), /^None of 2 other members/));
  assertMatch(await get(n1, "/readyz"), /^None of 2 other members/);
  const isCutOff = async () => JSON.parse(await get(n1, "/members")).cutOff;
  await eventually(async () => assertEquals(await isCutOff(), true));
  assertMatch(await get(n1, "/metrics"), /^gossiper_cut_off 1$/m);
  await eventuallyLogs(n1, /hears nobody since \d\d:\d\d:\d\d UTC/);
  for (const node of [n2, n3]) node.kill("SIGCONT");
  await eventually(async () => assertEquals(await get(n1, "/healthz"), "ok\n"));
  await eventually(async () => assertEquals(await isCutOff(), false));
});

Deno.test("once nobody is left where a name of -join led, it is looked up again, and leads to who is there now", async () => {
  const system = Deno.resolveDns;
  try {
    await using n2 = startNode("n2");
    let led: { address: string } | undefined;
    const resolve = (_name: string, type: string) => {
      const [target = "", port] = led?.address.split(":") ?? [];
      return Promise.resolve(type === "SRV" && led ? [{ target, port: Number(port) }] : []);
    };
    Object.assign(Deno, { resolveDns: resolve });
    await using n3 = startNode("n3", "-join srv:_gossiper._tcp.example");
    {
      await using n1 = startNode("n1");
      led = n1;
      await eventuallyShow([n1, n3], { n1: "live", n3: "live" });
      led = n2;
    }
    await eventuallyShow([n2, n3], { n1: "left", n2: "live", n3: "live" });
  } finally {
    Deno.resolveDns = system;
  }
});

Deno.test("a node that -join sends to itself says so when it starts", async () => {
  await using alone = startNode("n1", "-advertise lb.localhost:80 -join lb.localhost:80");
  const lines = alone.lines.filter((line) => line.includes("warning: -join names only"));
  assertEquals(lines.length, 1, alone.lines.join("\n"));
  assertStringIncludes(
    lines[0]!,
    "only lb.localhost:80, which is this node itself: it joins nobody",
  );
});
