import { eventuallyShow, type LocalNode, startNode } from "../support/nodes.ts";

/** What a small company runs. */
const NODES = 30;

Deno.test(`${NODES} nodes that start at once all see all`, async () => {
  const nodes: LocalNode[] = [];
  try {
    // Another run of the tests on this machine may take over a port.
    const cluster = `-cluster t${Deno.pid}`;
    const first = startNode("n0", cluster);
    nodes.push(first);
    for (let i = 1; i < NODES; i++) {
      nodes.push(startNode(`n${i}`, `${cluster} -join ${first.address}`));
    }
    const all = Object.fromEntries(nodes.map(({ id }) => [id, "live"]));
    // All in one process, so what one says costs the others time.
    await eventuallyShow(nodes, all, { withinMs: 60_000 });
  } finally {
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  }
});
