/** What other programs learn of a cluster of real processes: /live, tags and DNS, as members come, change and go. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decode, encode } from "../../lib/dns/dns_packet.ts";
import { eventually } from "../support/eventually.ts";
import { get, runProgram, spawnNode, type TestNode } from "../support/nodes.ts";

const WEB = "-tag role=web -port-of web=3000";

/** The ports of the SRV records of a name, at the node's -dns. */
async function portsOf(node: TestNode, name: string): Promise<number[]> {
  const [, port] = node.lines.join("\n").match(/answers DNS at 127\.0\.0\.1:(\d+)/)!;
  const socket = createSocket("udp4");
  try {
    const query = encode({ type: "query", id: 1, questions: [{ name, type: "SRV" }] });
    socket.send(query, Number(port), "127.0.0.1");
    const [answer] = await once(socket, "message");
    return decode(answer).answers!.map((record) => record.type === "SRV" ? record.data.port : 0)
      .sort();
  } finally {
    socket.close();
  }
}

Deno.test("/live and DNS follow members that come, change their tags and die", async () => {
  await using n1 = await spawnNode("n1", "-dns 127.0.0.1:0");
  const join = `-join ${n1.address}`;
  await using n2 = await spawnNode("n2", `${join} ${WEB}`);
  await using n3 = await spawnNode("n3", `${join} -tag role=web -port-of web=3001`);
  const live = () => get(n1, "/live?tag=role=web&port=web");
  await eventually(async () => {
    assertEquals(await live(), "127.0.0.1:3000\n127.0.0.1:3001\n");
    assertEquals(await portsOf(n1, "_web._tcp.gossip"), [3_000, 3_001]);
  });
  n3.kill("SIGKILL");
  await eventually(async () => {
    assertEquals(await live(), "127.0.0.1:3000\n");
    assertEquals(await portsOf(n1, "web.gossip"), [3_000]);
  });
  const { code, stdout } = await runProgram(["tag", "-set", "role=db", "-at", n2.address]);
  assertEquals([code, stdout], [0, "role=db\n"]);
  await eventually(async () => {
    assertEquals(await live(), "");
    assertEquals(await portsOf(n1, "db.gossip"), [Number(n2.address.split(":")[1])]);
  });
});

Deno.test("gossiper live prints what other programs can use, and says by its status whether there is anybody", async () => {
  await using n1 = await spawnNode("n1", WEB);
  const asked = ["live", "-at", n1.address];
  const web = await runProgram([...asked, "-tag", "role=web", "-port", "web"]);
  assertEquals([web.code, web.stdout], [0, "127.0.0.1:3000\n"]);
  const nobody = await runProgram([...asked, "-tag", "role=db"]);
  assertEquals([nobody.code, nobody.stdout], [1, ""]);
});

Deno.test("a -dns port that is taken ends the start with what to do", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await runProgram(["-port", "0", "-dns", `127.0.0.1:${taken.addr.port}`]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "give -dns another port");
});
