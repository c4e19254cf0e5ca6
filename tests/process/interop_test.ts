/**
 * One cluster of the first gossiper's Go nodes and ours (invariant 10), against a peer written from transcripts of real ones.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually, within } from "../support/eventually.ts";
import { GoPeer } from "../support/go_peer.ts";
import {
  eventuallyShow,
  get,
  type LocalNode,
  spawnNode,
  startNode,
  statuses,
} from "../support/nodes.ts";

/** Waits until each Go node shows exactly these. */
async function eventuallyGoShow(
  peers: readonly GoPeer[],
  expected: Record<string, string>,
): Promise<void> {
  for (const peer of peers) {
    await eventually(() => assertEquals<object>(peer.statuses(), expected, `${peer.id} shows`));
  }
}

Deno.test("the Go peer writes what the transcripts show of a lone node, faults and all", async () => {
  await using go = new GoPeer("A", { intervalMs: 1_000_000 });
  assertEquals(go.hello(), `hello A\n\n\n${go.address}\n`);
  for (const path of ["/hello", "/hello?from=ts1&via=127.0.0.1:19050", "/bye", "/bye?id=ghost"]) {
    assertEquals(
      (await fetch(`http://${go.address}${path}`).then((r) => r.text())).length > 0,
      path.startsWith("/hello"),
    );
  }
  // Itself left out of line 2; an empty ID in line 3, wherever the order of a Go map puts it.
  assertMatch(
    go.hello(),
    /^hello A\nts1\n(?: ghost|ghost )\n127\.0\.0\.1:\d+\n127\.0\.0\.1:19050\n$/,
  );
});

Deno.test("invariant 10: ours joins a Go node: each sees the other live, then dead", async () => {
  const go = new GoPeer("go");
  await using _ = go;
  const ours = await spawnNode("ours", `-join ${go.address}`);
  await using _1 = ours;
  await eventuallyShow([ours], { go: "live", ours: "live" });
  await eventuallyGoShow([go], { go: "live", ours: "live" });
  ours.kill("SIGKILL");
  await eventuallyGoShow([go], { go: "live", ours: "dead" });
});

Deno.test("invariant 10: a Go node joins ours: each sees the other live, then dead", async () => {
  await using ours = startNode("ours");
  const go = new GoPeer("go", { join: [ours.address] });
  await eventuallyShow([ours], { go: "live", ours: "live" });
  await eventuallyGoShow([go], { go: "live", ours: "live" });
  await go[Symbol.asyncDispose]();
  await eventuallyShow([ours], { go: "dead", ours: "live" });
  await using again = new GoPeer("go", { join: [ours.address] });
  await eventuallyShow([ours], { go: "live", ours: "live" });
  await eventuallyGoShow([again], { go: "live", ours: "live" });
});

Deno.test("invariant 10: a Go node decommissioned through ours exits with status 0, and stays decommissioned", async () => {
  await using ours = startNode("ours");
  await using go = new GoPeer("go", { join: [ours.address] });
  await eventuallyShow([ours], { go: "live", ours: "live" });
  assertEquals(await get(ours, "/bye?id=go"), "go is decommissioned for good\n");
  assertEquals(await within(go.exited, () => go.hello()), 0);
  await using again = new GoPeer("go", { join: [ours.address] });
  assertEquals(await within(again.exited, () => again.hello()), 0);
  assertEquals(await statuses(ours), { go: "decommissioned", ours: "live" });
});

Deno.test("invariant 10: ours, decommissioned through a Go node, exits with status 0 and says why", async () => {
  await using go = new GoPeer("go");
  await using ours = await spawnNode("ours", `-join ${go.address}`);
  await using other = startNode("other", `-join ${ours.address}`);
  await eventuallyShow([ours, other], { go: "live", other: "live", ours: "live" });
  await fetch(`http://${go.address}/bye?id=ours`).then((response) => response.body?.cancel());
  assertEquals(await ours.exit(), 0);
  assertMatch(ours.lines.at(-1) ?? "", /this node, ours, is decommissioned/);
  await eventuallyShow([other], { go: "live", other: "live", ours: "decommissioned" });
});

Deno.test("invariant 10: two Go nodes and three of ours see each other live, dead and decommissioned", async () => {
  // Each joins the one before: Go and ours in turn.
  const a = new GoPeer("goA", { seed: 1 });
  await using _a = a;
  await using n1 = startNode("n1", `-join ${a.address}`);
  const b = new GoPeer("goB", { join: [n1.address], seed: 2 });
  await using _b = b;
  const n2 = startNode("n2", `-join ${b.address}`);
  const n3 = await spawnNode("n3", `-join ${n1.address}`);
  await using _2 = n2, _3 = n3;
  const ours: (LocalNode | typeof n3)[] = [n1, n2, n3];
  const all = { goA: "live", goB: "live", n1: "live", n2: "live", n3: "live" };
  await eventuallyShow(ours, all);
  await eventuallyGoShow([a, b], all);

  n3.kill("SIGKILL");
  await eventuallyShow([n1, n2], { ...all, n3: "dead" });
  await eventuallyGoShow([a, b], { ...all, n3: "dead" });

  await b[Symbol.asyncDispose]();
  await eventuallyShow([n1, n2], { ...all, n3: "dead", goB: "dead" });
  await eventuallyGoShow([a], { ...all, n3: "dead", goB: "dead" });

  // Asked of ours, then of a Go node: both learn of both.
  await get(n1, "/bye?id=n3");
  await fetch(`http://${a.address}/bye?id=goB`).then((response) => response.body?.cancel());
  await eventuallyShow([n1, n2], { ...all, n3: "decommissioned", goB: "decommissioned" });
  await eventuallyGoShow([a], { goA: "live", n1: "live", n2: "live" });
  await eventually(() => {
    const known = a.decommissioned.filter((id) => id !== "").toSorted();
    assertEquals(known, ["goB", "n3"]);
  });
});

Deno.test("invariant 4: nobody flaps in a mixed cluster that is left alone for 10 rounds", async () => {
  await using n1 = startNode("n1");
  await using n2 = startNode("n2", `-join ${n1.address}`);
  await using a = new GoPeer("goA", { join: [n1.address] });
  await using _b = new GoPeer("goB", { join: [a.address] });
  const all = { goA: "live", goB: "live", n1: "live", n2: "live" };
  await eventuallyShow([n1, n2], all);
  const heartbeat = async () => {
    const { lastHeartbeat } = JSON.parse(await get(n2, "/members/n1"));
    return Date.parse(lastHeartbeat);
  };
  const startMs = await heartbeat();
  await eventually(async () => assert(await heartbeat() > startMs + 2_000, "too few rounds"));
  assertEquals(await statuses(n1), all);
  for (const { lines } of [n1, n2]) {
    assertEquals(lines.filter((line) => /peer is dead/.test(line)), []);
  }
});

Deno.test("ours lists itself, Go nodes leave themselves out, and neither minds", async () => {
  await using go = new GoPeer("go");
  await using ours = startNode("ours", `-join ${go.address}`);
  await eventuallyShow([ours], { go: "live", ours: "live" });
  const [first, second, third, own, other] = (await get(ours, "/hello")).split("\n");
  assertEquals([first, second, third], ["hello ours", "go ours", ""]);
  assertEquals([own, other], [ours.address, go.address]);
});

Deno.test("a node of a named cluster takes no Go node in, as it may be anyone's", async () => {
  await using go = new GoPeer("go");
  await using ours = startNode("ours", `-cluster other -join ${go.address}`);
  await eventually(() => {
    assert(
      ours.lines.some((line) => line.includes("belongs to another cluster")),
      ours.lines.join("\n"),
    );
  });
  assertEquals(await statuses(ours), { ours: "live" });
});
