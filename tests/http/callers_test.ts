import { assertEquals } from "@std/assert";
import { networkOf, RecentCallers } from "../../lib/http/callers.ts";

const callerOf = (remote: string) => ({
  remote,
  completed: Promise.resolve(),
  aside: <T>(waiting: Promise<T>) => waiting,
});

Deno.test("networkOf() is an IPv4 address itself, and the /64 network of an IPv6 address", () => {
  const networks = (...texts: string[]) => new Set(texts.map(networkOf)).size;
  assertEquals(networks("192.0.2.1", "192.0.2.2"), 2);
  assertEquals(networks("::ffff:192.0.2.1", "::ffff:192.0.2.2"), 2);
  assertEquals(networks("2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:0:ffff::"), 1);
  assertEquals(networks("2001:db8::1", "2001:db8:0:1::1"), 2);
});

Deno.test("RecentCallers remembers each for a time, and the latest of too many", () => {
  const recent = new RecentCallers({ callersMax: 2, forMs: 100 });
  const [a, b, c] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(callerOf);
  recent.add(a!, 0);
  assertEquals([recent.has(a!, 100), recent.has(a!, 101), recent.has(b!, 0)], [true, false, false]);
  recent.add(b!, 10);
  recent.add(a!, 20);
  recent.add(c!, 30);
  assertEquals([a, b, c].map((caller) => recent.has(caller!, 30)), [true, false, true]);
});
