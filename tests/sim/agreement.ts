import { isUp } from "../../lib/table.ts";
import type { OurNode } from "./our_node.ts";
import type { World } from "./world.ts";

/** Nodes that can find each other: by rows alone, or only by contacts that none has reached yet. */
export interface Groups {
  readonly byRows: readonly (readonly OurNode[])[];
  readonly byContacts: readonly (readonly OurNode[])[];
}

/** Who could ever meet whom: nodes are joined where one holds the other's present address. */
export function groupsOf(world: World): Groups {
  const up = world.up();
  const at = new Map<string, OurNode>(up.map((node) => [node.address, node]));
  const parents = new Map<OurNode, OurNode>();
  const rootOf = (node: OurNode): OurNode => {
    const parent = parents.get(node);
    return parent === undefined ? node : rootOf(parent);
  };
  const join = (node: OurNode, address: string) => {
    const other = at.get(address);
    if (other === undefined || rootOf(other) === rootOf(node)) return;
    parents.set(rootOf(node), rootOf(other));
  };
  const collect = () => [...Map.groupBy(up, rootOf).values()];
  for (const node of up) {
    for (const row of node.gossip.replica.table.roster()) join(node, row.address);
  }
  const byRows = collect();
  for (const node of up) {
    for (const { address } of node.gossip.contacts.unanswered()) join(node, address);
  }
  return { byRows, byContacts: collect() };
}

/**
 * How the tables of `nodes` differ from each other or from the truth, in a line; undefined: they agree. Members in
 * `except` do not count.
 */
export function disagreement(
  world: World,
  nodes: readonly OurNode[],
  except: ReadonlySet<string> = new Set(),
): string | undefined {
  const [first] = nodes;
  if (first === undefined) return undefined;
  const expected = factsOf(first);
  for (const node of nodes) {
    const facts = factsOf(node);
    for (const id of new Set([...expected.keys(), ...facts.keys()])) {
      const [a, b] = [expected.get(id), facts.get(id)];
      if (a !== b && !except.has(id)) {
        return `${first.id} has ${id} ${a ?? "not at all"}, ${node.id} ${b ?? "not at all"}`;
      }
    }
    for (const other of nodes) {
      const row = node.gossip.replica.table.get(other.id);
      const shown = row === undefined ? "not at all" : node.gossip.statusOf(row);
      if (shown === "not at all" || !isUp(shown) || row?.boot !== other.boot) {
        return `${node.id} has ${other.id} ${shown}, which runs`;
      }
      if (row.about?.text !== other.words) {
        return `${node.id} has of ${other.id} ${row.about?.text}, which says ${other.words}`;
      }
    }
    for (const row of node.gossip.replica.table.roster()) {
      if (except.has(row.id)) continue;
      const shown = node.gossip.statusOf(row);
      if (isUp(shown) && world.host(row.id)?.up !== true) {
        return `${node.id} has ${row.id} ${shown}, which does not run`;
      }
      if (row.left !== "" && shown !== "left") {
        return `${node.id} has ${row.id} ${shown}, which announced its stop`;
      }
    }
  }
  return undefined;
}

/** What all must come to agree on: of a running member its process, of any other its last heartbeat too. */
function factsOf(node: OurNode): Map<string, string> {
  const { table } = node.gossip.replica;
  const facts = new Map<string, string>();
  for (const row of table.roster()) {
    const status = node.gossip.statusOf(row);
    const last = isUp(status) ? "" : ` (${row.heartbeat})`;
    const words = row.about?.text ?? "";
    facts.set(row.id, `${status} at ${row.address} ${row.boot}${row.left}${words}${last}`);
  }
  for (const { id } of table.tombstones()) facts.set(id, "decommissioned");
  return facts;
}
