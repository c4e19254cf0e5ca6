/**
 * A node on a host that gets its address later. For namespaces of its own, see hosts_test.ts.
 *
 * @module
 */
import { assertStringIncludes } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { get, spawnNode } from "../support/nodes.ts";

await using n1 = await spawnNode("n1", "-host 0.0.0.0");
const words = "link add eth0 type veth peer name peer0; link set peer0 up; link set eth0 up; " +
  "addr add 10.9.0.7/24 dev eth0";
for (const command of words.split("; ")) {
  await new Deno.Command("ip", { args: command.split(" ") }).output();
}
const trouble = "peers are given 127.0.0.1, which leads each to itself, though this host has the " +
  "address 10.9.0.7 now";
await eventually(() => assertStringIncludes(n1.lines.join("\n"), `warning: ${trouble}`));
assertStringIncludes(await get(n1, "/healthz"), `warning: ${trouble}`);
