/**
 * Two nodes that call each other by names that end in numbers. For namespaces of its own, see hosts_test.ts.
 *
 * @module
 */
import { eventuallyShow, get, spawnNode } from "../support/nodes.ts";

await using n1 = await spawnNode("n1", "-advertise web.1");
const port = n1.address.split(":")[1];
await using n2 = await spawnNode("n2", `-advertise web.2 -join web.1:${port}`);
await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
console.log(await get(n2, "/hello"));
