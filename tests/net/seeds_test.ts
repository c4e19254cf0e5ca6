import { assert, assertEquals } from "@std/assert";
import { RESOLVED_MAX, resolveNames, type Resolver, SeedNames } from "../../lib/net/seeds.ts";
import { eventually } from "../support/eventually.ts";
import { NameServer } from "../support/name_server.ts";
import { Timers } from "../support/timers.ts";

async function resolve(server: NameServer, ...names: string[]): Promise<string[] | undefined> {
  const at = { resolver: server.resolver, signal: AbortSignal.timeout(10_000) };
  return (await resolveNames(names, at)).addresses?.sort();
}

Deno.test("a name stands for all its IPv4 and IPv6 addresses, with the port that was given", async () => {
  await using server = await NameServer.start();
  server.names.set("nodes.example", { A: ["10.0.0.1", "10.0.0.2"], AAAA: ["fd00::1"] });
  assertEquals(
    await resolve(server, "nodes.example:8080"),
    ["10.0.0.1:8080", "10.0.0.2:8080", "[fd00::1]:8080"],
  );
});

Deno.test("a name of one address needs no other: it stands for itself", async () => {
  await using server = await NameServer.start();
  server.names.set("one.example", { A: ["10.0.0.1"] });
  assertEquals(await resolve(server, "one.example:8080"), []);
});

Deno.test("a service stands for every host of its SRV records, each with its own port", async () => {
  await using server = await NameServer.start();
  server.names.set("_gossiper._tcp.example", {
    SRV: [{ target: "n1.example", port: 8080 }, { target: "N2.example", port: 8081 }],
  });
  assertEquals(
    await resolve(server, "srv:_gossiper._tcp.example"),
    ["n1.example:8080", "n2.example:8081"],
  );
});

Deno.test("names that no server knows tell nothing, beside one that is known", async () => {
  await using server = await NameServer.start();
  assertEquals(await resolve(server, "lost.example:1", "srv:_x._tcp.example"), undefined);
  server.names.set("two.example", { A: ["10.0.0.1", "10.0.0.2"] });
  assertEquals(await resolve(server, "lost.example:1", "two.example:1"), [
    "10.0.0.1:1",
    "10.0.0.2:1",
  ]);
});

Deno.test("a name server cannot fill the table of contacts", async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const resolver =
    ((_name: string, type: string) =>
      Promise.resolve(type === "A" ? many : [])) as typeof Deno.resolveDns;
  const at = { resolver, signal: AbortSignal.any([]) };
  assertEquals((await resolveNames(["many.example:1"], at)).addresses?.length, RESOLVED_MAX);
});

Deno.test("names are looked up again while somebody does not answer, and a service without hosts is told once", async () => {
  await using server = await NameServer.start();
  const found: (readonly string[])[] = [];
  const notices: string[] = [];
  const names = new SeedNames({
    join: ["srv:_gossiper._tcp.example", "127.0.0.1:1"],
    resolver: server.resolver,
    onResolved: (addresses) => found.push(addresses),
    misses: () => true,
    onNotice: (_level, text) => notices.push(text),
  });
  names.start();
  await eventually(() => assertEquals(notices.length, 1));
  server.names.set("_gossiper._tcp.example", { SRV: [{ target: "n1.example", port: 8080 }] });
  await eventually(() => assertEquals(found, [["n1.example:8080"]]));
  names.stop();
  assertEquals(notices, [
    "_gossiper._tcp.example: found no node to join; keeps trying",
    "_gossiper._tcp.example: found 1 to join",
  ]);
});

Deno.test("a service without hosts is asked for again, though all seeds of other names answer", async () => {
  await using server = await NameServer.start();
  server.names.set("_gossiper._tcp.east", { SRV: [{ target: "e1.example", port: 8080 }] });
  const found: (readonly string[])[] = [];
  const notices: string[] = [];
  const names = new SeedNames({
    join: ["srv:_gossiper._tcp.east", "srv:_gossiper._tcp.west"],
    resolver: server.resolver,
    onResolved: (addresses) => found.push(addresses),
    misses: () => false,
    onNotice: (_level, text) => notices.push(text),
  });
  names.start();
  await eventually(() => assertEquals(found, [["e1.example:8080"]]));
  server.names.set("_gossiper._tcp.west", { SRV: [{ target: "w1.example", port: 8080 }] });
  await eventually(() => assertEquals(found.at(-1), ["e1.example:8080", "w1.example:8080"]));
  names.stop();
  assertEquals(notices, [
    "_gossiper._tcp.west: found no node to join; keeps trying",
    "_gossiper._tcp.east, _gossiper._tcp.west: found 2 to join",
  ]);
});

Deno.test("SeedNames.stop() gives up the lookup under way, and what it finds is not told", async () => {
  const answer = Promise.withResolvers<string[]>();
  const signals: (AbortSignal | undefined)[] = [];
  const names = new SeedNames({
    join: ["seed.example:80"],
    resolver: ((_name: string, _type: string, options?: Deno.ResolveDnsOptions) => {
      signals.push(options?.signal);
      return answer.promise;
    }) as Resolver,
    onResolved: () => assert(false),
    misses: () => true,
    onNotice: () => assert(false),
  });
  names.start();
  names.stop();
  assertEquals(signals.map((signal) => signal?.aborted), [true, true]);
  using timers = new Timers();
  answer.resolve(["10.0.0.1", "10.0.0.2"]);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assertEquals(timers.delays, []);
});

Deno.test("addresses that are no names are never looked up", () => {
  const names = new SeedNames({
    join: ["10.0.0.1:80", "[::1]:80", "localhost:80"],
    resolver: () => assert(false) as never,
    onResolved: () => assert(false),
    misses: () => true,
    onNotice: () => assert(false),
  });
  names.start();
  names.stop();
});

Deno.test("the wait between two lookups doubles up to 30 s, and begins anew once all seeds answered", async () => {
  using timers = new Timers();
  let misses = true;
  const names = new SeedNames({
    join: ["seed.example:80"],
    resolver: (() => Promise.resolve([])) as unknown as Resolver,
    onResolved: () => {},
    misses: () => misses,
    onNotice: () => {},
  });
  names.start();
  const delays = [];
  for (let i = 0; i < 7; i++) delays.push(await timers.next());
  assertEquals(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  misses = false;
  // The lookup that was due finds all well; from then on it only looks whether they are.
  assertEquals([await timers.next(), await timers.next()], [5_000, 5_000]);
  misses = true;
  const again = [await timers.next(), await timers.next(), await timers.next()];
  assertEquals(again, [5_000, 1_000, 2_000]);
  names.stop();
});
