/**
 * What becomes of calls where packets get lost, and ports meet themselves: run in namespaces of its own, where rules of
 * nft drop packets of the loopback.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { thisNetwork } from "../../lib/host/own_address.ts";
import { Lookups } from "../../lib/net/lookups.ts";
import { createTransport, type TransportOptions } from "../../lib/net/transport.ts";
import { eventually } from "../support/eventually.ts";

/** Every outgoing connection gets this port, so that a call to it meets itself. */
const OWN_PORT = 40_000;

const OPTIONS = { timeoutMs: 2_000, bodyBytesMax: 1_000_000 };

async function nft(...rules: string[]): Promise<void> {
  const script = [
    "flush ruleset",
    "table inet t {",
    "chain c {",
    "type filter hook input priority 0;",
  ];
  const input = [...script, ...rules, "}", "}"].join("\n");
  const child = new Deno.Command("nft", { args: ["-f", "-"], stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  assert((await child.status).success);
}

/** A peer at every address of the loopback. */
function serve(handler: (request: Request) => Response | Promise<Response>) {
  return Deno.serve({ hostname: "0.0.0.0", port: 0, onListen() {} }, handler);
}

function open(options: Partial<TransportOptions> = {}) {
  const transport = createTransport({ ...OPTIONS, ...options });
  return Object.assign(transport, { [Symbol.dispose]: () => transport.close() });
}

async function meetsItself(): Promise<void> {
  const range = "/proc/sys/net/ipv4/ip_local_port_range";
  const before = await Deno.readTextFile(range);
  const next = OWN_PORT + 1;
  await Deno.writeTextFile(range, `${next} ${next}`);
  {
    using itself = await Deno.connect({ hostname: "127.0.0.1", port: next });
    assertEquals(itself.localAddr.port, next, "ports do not meet themselves here");
  }
  await Deno.writeTextFile(range, `${OWN_PORT} ${OWN_PORT}`);
  using transport = open();
  assertEquals(await transport.post(`127.0.0.1:${OWN_PORT}`, "/", "x"), { kind: "refused" });
  const itself = { host: "127.0.0.1", port: OWN_PORT };
  assertEquals(await thisNetwork.addressTowards(itself), undefined, "nobody answered");
  // Nothing keeps the port, for a minute or less: a process listens there at once.
  Deno.listen({ hostname: "127.0.0.1", port: OWN_PORT }).close();
  const port = OWN_PORT.toString(16).toUpperCase();
  const established = new RegExp(`:${port} [0-9A-F]+:${port} 01 `);
  assertEquals(established.test(await Deno.readTextFile("/proc/net/tcp")), false, "it stays open");
  await Deno.writeTextFile(range, before);
}

async function firstAddressUnreachable(): Promise<void> {
  await using server = serve(() => new Response("ok"));
  await nft("ip daddr 127.0.0.2 drop");
  const lookups = new Lookups({ lookup: () => Promise.resolve(["127.0.0.2", "127.0.0.3"]) });
  using transport = open({ lookups });
  const outcome = await transport.post(`n1.test:${server.addr.port}`, "/", "x");
  assertEquals(outcome.kind, "answer", JSON.stringify(outcome));
}

async function nothingArrives(): Promise<void> {
  await using server = serve(() => new Response("ok"));
  await nft("ip daddr 127.0.0.2 drop");
  using transport = open({ timeoutMs: 200 });
  const outcome = await transport.post(`127.0.0.2:${server.addr.port}`, "/", "x");
  assertEquals(outcome, { kind: "silent", accepted: false });
}

async function firewallForgets(): Promise<void> {
  const ports = new Set<number>();
  await using server = Deno.serve(
    { hostname: "0.0.0.0", port: 0, onListen() {} },
    (_request, { remoteAddr }) => {
      ports.add(remoteAddr.port);
      return new Response("ok");
    },
  );
  using transport = open();
  const address = `127.0.0.1:${server.addr.port}`;
  for (let i = 0; i < 2; i++) {
    assertEquals((await transport.post(address, "/", "x")).kind, "answer");
  }
  assertEquals(ports.size, 1, "the connection is kept");
  await nft(`tcp sport ${[...ports][0]} drop`, `tcp dport ${[...ports][0]} drop`);
  assertEquals((await transport.post(address, "/", "x")).kind, "answer");
  assertEquals(ports.size, 2);
}

async function largePacketsGetLost(): Promise<void> {
  await using server = serve(({ method }) =>
    new Response(method === "GET" ? "ok" : "x".repeat(5_000))
  );
  await nft("ip daddr 127.0.0.1 meta length > 1400 drop");
  const hints: string[] = [];
  using transport = open({ timeoutMs: 200, onHint: (text) => hints.push(text) });
  const address = `127.0.0.1:${server.addr.port}`;
  for (let i = 0; i < 3; i++) {
    assertEquals(await transport.post(address, "/", "x"), { kind: "silent", accepted: true });
  }
  await eventually(() => assertStringIncludes(hints[0] ?? "", `small answers of ${address} pass`));
  await nft();
}

if (import.meta.main) {
  for (
    const test of [
      meetsItself,
      firstAddressUnreachable,
      nothingArrives,
      firewallForgets,
      largePacketsGetLost,
    ]
  ) {
    await nft();
    await test();
    console.log(`${test.name}: ok`);
  }
  Deno.exit(0);
}
