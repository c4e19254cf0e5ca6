/**
 * Five nodes on this machine to look at and play with: `deno task demo`.
 *
 * @module
 */
import { Fleet } from "./fleet.ts";

const NODES = 5;

/** Windows knows no other signal that a console sends. */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** A node that was told to stop has ended by then. */
const GRACE_MS = 2_500;

/** A hook that all carry: one of the living runs it for each change, and logs that. */
const HOOK = "echo,name=demo,status=dead,unresponsive,failing,decommissioned";
const TOLD = / told demo: (.*) \(exited with 0\)$/;

await using fleet = new Fleet({
  flags: ["-port", "0", "-host", "127.0.0.1", "-on-change", HOOK],
});
let stopping = false;
for (const signal of STOP_SIGNALS) {
  Deno.addSignalListener(signal, () => {
    stopping = true;
    // Ctrl-C reaches the nodes as well: a second signal at once would end them before they said that they leave.
    Deno.unrefTimer(setTimeout(stopAll, signal === "SIGINT" ? GRACE_MS : 0));
  });
}

function stopAll(): void {
  for (const node of fleet.running) node.kill("SIGTERM");
}

await fleet.start(NODES);
const first = fleet.nodes[0]!;
const address = await first.listening;
const pids = fleet.nodes.map(({ id, pid }) => `${id} is process ${pid}`);
await fleet.until(() => stopping || fleet.allSeeAll());

console.log(`
  ${NODES} nodes see each other. Open the page of one:   http://${address}/

  or ask it:                 curl http://${address}/members
  crash a node:              kill -9 ${fleet.nodes.at(-1)!.pid}     (${pids.join(", ")})
  decommission one for good: curl 'http://${address}/bye?id=n4'

  Ctrl-C stops them all. What n1 sees, and who would tell you of it (-on-change), once, from 7 s on:
`);
let shown = 0;
const show = () => {
  for (const line of first.lines.slice(shown)) {
    if (/ (?:peer|this node) (?:is|has) /.test(line)) console.log(line);
  }
  shown = first.lines.length;
};
show();
first.watch(show);
for (const node of fleet.nodes) {
  let read = node.lines.length;
  node.watch(() => {
    for (const line of node.lines.slice(read)) {
      const [, text] = TOLD.exec(line) ?? [];
      if (text !== undefined) console.log(`told by ${node.id}: ${text}`);
    }
    read = node.lines.length;
  });
}
await Promise.all(fleet.nodes.map((node) => node.ended));
console.log("All nodes have ended.");
