/** What a node with `-state` remembers when it is stopped, killed, or restarted together with all others. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeSaved } from "../../lib/host/state_format.ts";
import { eventually } from "../support/eventually.ts";
import {
  eventuallyLogs,
  eventuallyShow,
  get,
  type LocalNode,
  members,
  runProgram,
  spawnNode,
  startNode,
  statuses,
} from "../support/nodes.ts";
import { seededRandom } from "../support/dice.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function portOf({ address }: { address: string }): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

Deno.test("a cluster that was stopped as a whole comes back without -join, and remembers every decommission", async () => {
  await withFolder(async (folder) => {
    const state = (id: string) => `-state ${folder}/${id}.state`;
    const ids = ["n1", "n2", "n3", "n4", "n5"];
    const first = startNode("n1", state("n1"));
    const nodes: LocalNode[] = [first];
    for (const id of ids.slice(1)) {
      nodes.push(startNode(id, `${state(id)} -join ${first.address}`));
    }
    const live = Object.fromEntries(ids.map((id) => [id, "live"]));
    await eventuallyShow(nodes, live);
    const n5 = nodes.pop()!;
    assertStringIncludes(await get(first, "/bye?id=n5"), "decommissioned for good");
    assertEquals(await n5.running.ended, 0);
    await eventuallyShow(nodes, { ...live, n5: "decommissioned" });
    for (const node of nodes) await node[Symbol.asyncDispose]();

    // The ID comes from the file, the addresses too.
    const again = nodes.map((node) => startNode("", `${state(node.id)} -port ${portOf(node)}`));
    try {
      assertEquals(again.map(({ running }) => running.id), ids.slice(0, 4));
      await eventuallyShow(again, { ...live, n5: "decommissioned" });
    } finally {
      for (const node of again) await node[Symbol.asyncDispose]();
    }
    const { code, stderr } = await runProgram(["-port", "0", "-state", `${folder}/n5.state`]);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "this node, n5, is decommissioned");
  });
});

Deno.test("of nodes that lose power together, those that come back show the others dead, with their last heartbeats", async () => {
  await withFolder(async (folder) => {
    const state = (id: string) => `-state ${folder}/${id}.state`;
    const n0 = await spawnNode("n0");
    await using n1 = await spawnNode("n1", `${state("n1")} -join ${n0.address}`);
    await using n2 = await spawnNode("n2", `${state("n2")} -join ${n0.address}`);
    await eventuallyShow([n1, n2], { n0: "live", n1: "live", n2: "live" });
    const remembers = ({ id }: { id: string }) => () => {
      const saved = decodeSaved(Deno.readTextFileSync(`${folder}/${id}.state`));
      assert(!("error" in saved) && saved.members.length === 2, JSON.stringify(saved));
    };
    for (const node of [n1, n2]) await eventually(remembers(node));
    for (const node of [n0, n1, n2]) await node[Symbol.asyncDispose]();

    await using again = await spawnNode("n1", `${state("n1")} -port ${portOf(n1)}`);
    await eventuallyShow([again], { n0: "dead", n1: "live", n2: "dead" });
    const [dead] = await members(again);
    assertMatch(dead?.lastHeartbeat ?? "", /^20/);
    const line = await eventuallyLogs(again, /peer is dead: n0/);
    assertStringIncludes(line, "no heartbeat since this node started");
  });
});

Deno.test("a node that starts again goes on from its last heartbeat", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/n1.state`;
    const heartbeatOf = () => {
      const saved = decodeSaved(Deno.readTextFileSync(path));
      assert(!("error" in saved));
      return saved.heartbeat;
    };
    await startNode("n1", `-state ${path}`)[Symbol.asyncDispose]();
    const last = heartbeatOf();
    await using node = startNode("", `-state ${path}`);
    await eventually(() => assert(heartbeatOf() > last));
    assertEquals(node.running.id, "n1");
  });
});

Deno.test("/bye answers 507 when the state cannot be written, /healthz says why, and the node runs on", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/lost/n1.state`;
    await Deno.mkdir(`${folder}/lost`);
    await using node = startNode("n1", `-state ${path}`);
    await eventually(() => Deno.statSync(path));
    await Deno.remove(`${folder}/lost`, { recursive: true });
    const response = await fetch(`http://${node.address}/bye?id=n9&unknown=yes`);
    assertEquals(response.status, 507);
    assertStringIncludes(await response.text(), "not safe on disk: Cannot write the state file");
    const health = await fetch(`http://${node.address}/healthz`);
    assertEquals(health.status, 200);
    assertStringIncludes(await health.text(), "ok\nwarning: Cannot write the state file");
    assert(node.lines.some((line) => line.includes("this node runs on, and tries again")));
    await Deno.mkdir(`${folder}/lost`);
    assertEquals(await get(node, "/bye?id=n9"), "n9 was decommissioned before\n");
    assertEquals(await get(node, "/healthz"), "ok\n");
  });
});

Deno.test("kill -9 at any moment loses no decommission that /bye acknowledged", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/n1.state`;
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const acknowledged: string[] = [];
    for (let life = 0; life < 20; life++) {
      await using node = await spawnNode("n1", `-state ${path}`);
      const shown = await statuses(node);
      const lost = acknowledged.filter((id) => shown[id] !== "decommissioned");
      assertEquals(lost, [], `life ${life} of seed ${seed} forgot`);
      const before = acknowledged.length;
      const killAfter = 1 + Math.floor(random() * 30);
      const askers = Array.from({ length: 4 }, async (_, asker) => {
        for (let i = 0; i < 10; i++) {
          const id = `x${life}-${asker}-${i}`;
          try {
            const response = await fetch(`http://${node.address}/bye?id=${id}&unknown=yes`);
            await response.body?.cancel();
            if (response.status === 200) acknowledged.push(id);
          } catch {
            return; // Killed before it could answer.
          }
          if (acknowledged.length === before + killAfter) node.kill("SIGKILL");
        }
      });
      await Promise.all(askers);
      assert(acknowledged.length < before + 40, `seed ${seed} cut nothing short`);
    }
  });
});

Deno.test("a foreign state file ends the program with status 2 and is not changed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/notes.txt`;
    await Deno.writeTextFile(path, "not ours");
    const { code, stderr } = await runProgram(["-port", "0", "-state", path]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Cannot use the state file '${path}'`);
    assertEquals(await Deno.readTextFile(path), "not ours");
  });
});
