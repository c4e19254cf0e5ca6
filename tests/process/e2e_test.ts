/**
 * The program as a user runs it: real processes, real signals. They run five times a user's pace; what takes seconds here
 * is what a user would wait for.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import {
  eventuallyLogs,
  eventuallyShow,
  get,
  members,
  type NodeProcess,
  runProgram,
  spawnNode as spawnAnyNode,
  statuses,
} from "../support/nodes.ts";
import { closedAddress, MutePeer } from "../support/raw.ts";

/** Starts a node of this run's own cluster: another run of the tests on this machine may take over a port. */
function spawnNode(id: string, flags = ""): Promise<NodeProcess> {
  return spawnAnyNode(id, `-cluster t${Deno.pid} ${flags}`);
}

/** Three processes: n2 joined n1, n3 joined n2. */
async function spawnThree(): Promise<[NodeProcess, NodeProcess, NodeProcess]> {
  const n1 = await spawnNode("n1");
  const n2 = await spawnNode("n2", `-join ${n1.address}`);
  const n3 = await spawnNode("n3", `-join ${n2.address}`);
  await eventuallyShow([n1, n2, n3], { n1: "live", n2: "live", n3: "live" });
  return [n1, n2, n3];
}

/** Two seconds on a machine that has time; here others may be busy. */
const BUSY_STOP_MS = 10_000;

function portOf(address: string): string {
  return address.split(":").at(-1)!;
}

Deno.test("three processes: kill -9 shows dead, the same ID comes back live, /bye ends it for good", async () => {
  const [n1, n2, n3] = await spawnThree();
  await using _1 = n1, _2 = n2, _3 = n3;
  n3.kill("SIGKILL");
  await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "dead" });
  await eventually(() => {
    const line = n1.lines.find((line) => line.includes("peer is dead"));
    assertMatch(line ?? "", /peer is dead: n3 \(127\.0\.0\.1:\d+\), last heard \d+\.\d s ago: /);
  });

  await using again = await spawnNode("n3", `-join ${n1.address} -port ${portOf(n3.address)}`);
  await eventuallyShow([n1, n2, again], { n1: "live", n2: "live", n3: "live" });

  const answer = await fetch(`http://${n2.address}/bye?id=n3`);
  assertEquals([answer.status, await answer.text()], [200, "n3 is decommissioned for good\n"]);
  assertEquals(await again.exit(), 0);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "decommissioned" });
  assertStringIncludes(
    again.lines.at(-1) ?? "",
    "this node, n3, is decommissioned by request to n2: it stops, and its ID stays unusable",
  );

  // A third life learns it at its first exchange.
  await using late = await spawnNode("n3", `-join ${n1.address}`);
  assertEquals(await late.exit(), 0);
  assertStringIncludes(late.lines.at(-1) ?? "", "this node, n3, is decommissioned");
  await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "decommissioned" });
});

Deno.test("invariant 3: /bye asked of the node itself is answered, spread, and ends it with status 0", async () => {
  const [n1, n2, n3] = await spawnThree();
  await using _1 = n1, _2 = n2, _3 = n3;
  const answer = await fetch(`http://${n3.address}/bye?id=n3`, { method: "POST" });
  assertEquals([answer.status, await answer.text()], [200, "n3 is decommissioned for good\n"]);
  assertEquals(await n3.exit(), 0);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "decommissioned" });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} announces a planned stop: left everywhere, exit status 0 within 2 s`, async () => {
    const [n1, n2, n3] = await spawnThree();
    await using _1 = n1, _2 = n2, _3 = n3;
    const startMs = performance.now();
    n3.kill(signal);
    assertEquals(await n3.exit(), 0);
    assertLess(performance.now() - startMs, BUSY_STOP_MS);
    await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "left" });
    await eventually(() => {
      assert(n1.lines.some((line) => line.includes(`peer has left: n3`) && line.endsWith(signal)));
    });
    assert(!n1.lines.some((line) => line.includes("peer is dead")), n1.lines.join("\n"));
  });
}

Deno.test("SIGTERM ends a node within 2 s though no peer of its answers, and a second signal at once", async () => {
  for (const signals of [1, 2]) {
    await using mute = new MutePeer();
    await using n1 = await spawnNode("n1", `-join ${mute.address}`);
    await using n2 = await spawnNode("n2", `-join ${n1.address} -advertise ${mute.address}`);
    await eventuallyShow([n2], { n1: "live", n2: "live" });
    await eventually(() => assert(mute.calls > 0));
    const startMs = performance.now();
    n1.kill("SIGTERM");
    if (signals === 2) {
      await eventually(() =>
        assert(n1.lines.some((line) => line.includes("this node has left: n1")))
      );
      n1.kill("SIGINT");
    }
    const code = await n1.exit();
    assertLess(performance.now() - startMs, BUSY_STOP_MS);
    // It may have been through before the second signal came.
    assert(signals === 1 ? code === 0 : code === 130 || code === 0, `status ${code}`);
  }
});

Deno.test("a node that nobody answers, not even itself, ends at SIGTERM with status 0", async () => {
  await using n1 = await spawnNode("n1", `-join ${closedAddress()}`);
  n1.kill("SIGTERM");
  assertEquals(await n1.exit(), 0);
});

Deno.test("invariant 4: a stopped process (SIGSTOP) is unresponsive, accuses nobody when it goes on, and is live again", async () => {
  const [n1, n2, n3] = await spawnThree();
  await using _1 = n1, _2 = n2, _3 = n3;
  n3.kill("SIGSTOP");
  await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "unresponsive" });
  const told = await eventuallyLogs(n1, /peer is unresponsive: n3/);
  assertMatch(told, /: accepts connections and does not answer, seen by n[12]/);
  n3.kill("SIGCONT");
  await eventuallyShow([n1, n2, n3], { n1: "live", n2: "live", n3: "live" });
  const accused = n3.lines.filter((line) => /peer is (?:dead|unresponsive)/.test(line));
  assertEquals(accused, []);
});

Deno.test("-port 0 takes a free port and says which, for people and for scripts", async () => {
  await using node = await spawnNode("n1");
  const listening = node.lines.find((line) => line.includes(" listens on "))!;
  assertStringIncludes(listening, `node n1 listens on http://${node.address}/`);
  assertStringIncludes(listening, `known to peers as ${node.address}`);
  assertStringIncludes(listening, `-join ${node.address}`);
  assert(Number(portOf(node.address)) > 0);
  assertEquals(await get(node, "/hello"), `hello n1\nn1\n\n${node.address}\n`);
});

Deno.test("a taken port ends it with status 1 and one line that says what to do", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stdout, stderr } = await runProgram(["-host", "127.0.0.1", "-port", `${port}`]);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr,
    `gossiper: Cannot listen on port ${port}: it is in use. ` +
      "Stop the program that uses it, or choose another port with -port\n",
  );
});

/** A name of which no resolver needs to ask anybody: labels have at most 63 letters. */
const NO_NAME = `${"x".repeat(64)}.invalid`;

Deno.test("wrong use ends it with status 2 and one line on stderr that says what to do", async () => {
  const wrong: [args: string, says: string][] = [
    ["-prot 80", "did you mean '-port'?"],
    ["-port 80a", "give a number from 0 to 65535"],
    ["-id <b>x</b>", "give 1 to 64 of the characters"],
    ["-join localhost", "give each as host:port"],
    ["-advertise http://x/", "give a host or host:port"],
    ["-interval 1s -dead-after 2s", "give at least 3 intervals"],
    ["-port 8080 stray", "give only flags"],
    ["stray", "Unknown command 'stray'"],
    [`-host ${NO_NAME}`, "the name does not resolve; give an address of this host"],
    [`-advertise ${NO_NAME}`, "the name does not resolve; give one that does, or an address"],
    [`-advertise ${NO_NAME}:80`, "the name does not resolve; give one that does, or an address"],
    [`-join ${NO_NAME}:80`, "the name does not resolve; check it, or give an address"],
    [`-join ${NO_NAME}:80,a.${NO_NAME}:80`, "none of the names resolves; check them"],
  ];
  await Promise.all(wrong.map(async ([args, says]) => {
    const { code, stdout, stderr } = await runProgram(args.split(" "));
    assertEquals([code, stdout], [2, ""], args);
    assertMatch(stderr, /^gossiper: [\x20-\x7e]+\n$/, args);
    assertStringIncludes(stderr, says);
  }));
});

Deno.test("one name of -join that resolves is enough to start", async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode("n2", `-join ${NO_NAME}:80,${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
});

Deno.test("-help and -version answer on stdout with status 0", async () => {
  const help = await runProgram(["-help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Usage: gossiper");
  const version = await runProgram(["--version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^gossiper \d+\.\d+\.\d+[^\n]*\n$/);
});

Deno.test("a flag's environment variable counts, and the flag wins", async () => {
  const env = { GOSSIPER_DEAD_AFTER: "1s", GOSSIPER_INTERVAL: "1s" };
  const { code, stderr } = await runProgram([], env);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Cannot use -dead-after 1s with -interval 1s");
  assertEquals((await runProgram(["-dead-after", "nonsense"], env)).code, 2);
});

Deno.test("an ID that is live at another address refuses to start: status 1 and one clear line", async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  await using twin = await spawnNode("n2", `-join ${n1.address}`);
  assertEquals(await twin.exit(), 1);
  assertStringIncludes(
    twin.lines.at(-1) ?? "",
    `ID 'n2' is in use by the node at ${n2.address}: stop that node, or choose another -id`,
  );
  assertEquals(await statuses(n1), { n1: "live", n2: "live" });
});

Deno.test("a node listens on every IPv4 and IPv6 address unless told otherwise", async () => {
  await using node = await spawnNode("n1", "-host :: -advertise 127.0.0.1");
  const port = portOf(node.address);
  assertEquals(await get({ address: `127.0.0.1:${port}` }, "/healthz"), "ok\n");
  assertEquals(await get({ address: `[::1]:${port}` }, "/healthz"), "ok\n");
});

Deno.test("nodes that know each other by IPv6 addresses see each other", async () => {
  await using n1 = await spawnNode("n1", "-host ::1");
  await using n2 = await spawnNode("n2", `-host ::1 -join ${n1.address}`);
  assertMatch(n1.address, /^\[::1\]:\d+$/);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
});

Deno.test("a failing address is logged when it starts and when it stops to fail, not every round", async () => {
  await using n1 = await spawnNode("n1");
  const n2 = await spawnNode("n2", `-join ${n1.address}`);
  await using _ = n2;
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  n2.kill("SIGKILL");
  await n2.exit();
  const failures = () => n1.lines.filter((line) => line.includes(`no answer from ${n2.address}`));
  await eventually(() => assertEquals(failures().length, 1));
  await eventuallyShow([n1], { n1: "live", n2: "dead" });
  await using again = await spawnNode("n2", `-port ${portOf(n2.address)}`);
  await eventuallyShow([n1, again], { n1: "live", n2: "live" });
  await eventually(() =>
    assertEquals(n1.lines.filter((line) => line.includes("answers again")).length, 1)
  );
  assertEquals(failures().length, 1, n1.lines.join("\n"));
});

Deno.test("GET /members says what the page says, in the words of the design", async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  for (const { id, address, status, lastHeartbeat, ageMs } of await members(n1)) {
    assertEquals([address, status], [id === "n1" ? n1.address : n2.address, "live"]);
    assertMatch(lastHeartbeat ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(ageMs !== null && ageMs >= 0 && ageMs < 1_000, `${ageMs}`);
  }
});

Deno.test("a file below /dev, /proc or /sys, which Deno opens to no node, is refused in a line", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const says = "Deno opens none below /dev, /proc or /sys: keep it elsewhere";
  for (
    const [flag, start] of [["key-file", "Cannot read -key-file /proc/version"], [
      "state",
      "state file",
    ]]
  ) {
    const args = `-port 0 -host 127.0.0.1 -${flag} /proc/version`.split(" ");
    const { code, stderr } = await runProgram(args);
    assert(code !== 0 && stderr.includes(start!) && stderr.includes(says), stderr);
  }
});

Deno.test("a program that may not do what it needs says so in a line, and how it may", async () => {
  const args = ["run", "--quiet", "--no-prompt", new URL("../../main.ts", import.meta.url).href];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(code, 2);
  assertMatch(
    new TextDecoder().decode(stderr),
    /^gossiper: Requires \w+ access[^\n]*: start it by 'deno run -A main.ts'\n$/,
  );
});
