import { assertEquals } from "@std/assert";
import { cluster } from "./support/lab.ts";

Deno.test("a planned stop is told to five members, and to one more for each that stops too or does not answer", () => {
  for (let seed = 1; seed <= 5; seed++) tellsFive(seed);
});

function tellsFive(seed: number): void {
  const { lab, nodes } = cluster(12, seed);
  const [first, second] = nodes;
  const addressesSince = (atMs: number) =>
    new Set(first!.calls.filter((call) => call.atMs >= atMs).map(({ to }) => to));
  // Told of by nobody yet.
  second!.driver.enter((gossip, now) => gossip.leave(now, "SIGTERM"));
  const atMs = lab.nowMs;
  lab.reach = (from, to) => from === first && to === "n2:80" ? "refused" : "ok";
  first!.driver.enter((gossip, now) => gossip.leave(now, "SIGTERM"));
  assertEquals(addressesSince(atMs).size, 5);
  lab.pass(100);
  const told = addressesSince(atMs);
  assertEquals(told.size - ["n1:80", "n2:80"].filter((to) => told.has(to)).length, 5);
}

Deno.test("a decommission is told to the member's own process at once, unless that is this node", () => {
  for (const id of ["n1", "n2", "n3"]) {
    const { lab, nodes: [first] } = cluster(12, 1);
    const atMs = lab.nowMs;
    first!.driver.enter((gossip, now) => gossip.decommission(now, id));
    const told = first!.calls.filter((call) => call.atMs >= atMs).map(({ to }) => to);
    assertEquals(told[0], `${id}:80`);
  }
  const { lab, nodes: [first] } = cluster(12, 1);
  const atMs = lab.nowMs;
  first!.driver.enter((gossip, now) => gossip.decommission(now, "n0"));
  assertEquals(first!.calls.filter((call) => call.atMs >= atMs && call.to === "n0:80"), []);
});

Deno.test("the end of a node's program is told at once to all of a small cluster, as it wakes people", () => {
  const { lab, nodes } = cluster(12, 1);
  const [first] = nodes;
  const atMs = lab.nowMs;
  first!.driver.enter((gossip, now) => gossip.leave(now, "dead 137 SIGKILL web"));
  const told = first!.calls.filter((call) => call.atMs >= atMs).map(({ to }) => to);
  assertEquals(new Set(told).size, 11);
});

Deno.test("that nobody answers is told of members that fail, and not of those that ended as planned", () => {
  const { lab, nodes } = cluster(5, 1);
  const [first, stopped, decommissioned, crashed] = nodes;
  const gone = [stopped!, decommissioned!, crashed!];
  stopped!.leave("SIGTERM");
  first!.decommission(decommissioned!.id);
  lab.pass(100);
  for (const brain of gone) brain.killed = true;
  lab.reach = (_, to) => gone.some(({ address }) => address === to) ? "refused" : "ok";
  lab.pass(60_000);
  const told = nodes.flatMap(({ notices }) => notices).filter((text) => text.includes("no answer"));
  assertEquals(new Set(told), new Set([`no answer from ${crashed!.address}: connection refused`]));
});
