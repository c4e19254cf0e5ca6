/**
 * A fleet whose nodes are each in a network namespace of their own, so that the network between them can be broken.
 * Needs Linux, nft, and the right to make namespaces.
 *
 * @module
 */
import { Namespaces, unshared } from "../chaos/namespaces.ts";
import { Fleet } from "../fleet/fleet.ts";

/** Runs `program` where namespaces can be made, with this process' arguments and `--inside`; returns its status. */
export async function runApart(program: string): Promise<number> {
  const self = [Deno.execPath(), "run", "-A", program, ...Deno.args, "--inside"];
  const command = await unshared(self);
  if (typeof command === "string") throw new Error(`Cannot make namespaces here: ${command}`);
  const [name = "", ...args] = command;
  return (await new Deno.Command(name, { args }).spawn().status).code;
}

/** Starts n1 and then the others, which join it; resolves when all see all. */
export async function startApart(place: Namespaces, count: number): Promise<Fleet> {
  const fleet = new Fleet({ prefix: (id) => place.prefix(id) });
  for (let i = 1; i <= count; i++) {
    const id = `n${i}`;
    const flags = await place.prepare(id);
    const node = fleet.add(id, i === 1 ? flags : [...flags, "-join", place.addressOf("n1")!]);
    if (i === 1) await node.listening;
  }
  if (!await fleet.until(() => fleet.allSeeAll())) {
    await fleet[Symbol.asyncDispose]();
    throw new Error("not all see all");
  }
  return fleet;
}
