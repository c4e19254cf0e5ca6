import { assertEquals } from "@std/assert";
import { AddressWatch } from "../../lib/host/address_watch.ts";
import { networkOf } from "../support/network.ts";

const REMEDY = "restart this node, or give peers a name that stays with -advertise";

/** A watch over a host whose addresses the test changes, and what it logged. */
function watchOf(advertiseHost: string, { byDefault = true, addresses = ["lo 127.0.0.1"] } = {}) {
  const lines: string[] = [];
  let present = addresses;
  const watch = new AddressWatch({
    advertiseHost,
    advertiseDefault: byDefault,
    network: {
      addresses: () => networkOf({ addresses: present }).addresses(),
      defaultInterfaces: () => [],
    },
    onNotice: (level, text) => lines.push(`${level}: ${text}`),
  });
  const change = (...addresses: string[]) => {
    present = ["lo 127.0.0.1", ...addresses];
    watch.check();
    watch.check();
  };
  return { watch, lines, change };
}

Deno.test("a node that started before its network had an address notices and tells", () => {
  const { watch, lines, change } = watchOf("127.0.0.1");
  change();
  change("eth0 fe80::1");
  assertEquals([watch.trouble, lines], [undefined, []]);
  change("eth0 fe80::1", "eth0 10.9.0.2");
  const line = "peers are given 127.0.0.1, which leads each to itself, though this host " +
    `has the address 10.9.0.2 now: ${REMEDY}`;
  assertEquals([watch.trouble, lines], [line, [`warn: ${line}`]]);
});

Deno.test("a node whose host's address changes notices and tells, and tells when it is back", () => {
  const { watch, lines, change } = watchOf("10.9.0.2", { addresses: ["eth0 10.9.0.2"] });
  change("eth0 10.9.0.2", "eth1 10.8.0.1");
  assertEquals(lines, []);
  change("eth0 10.9.0.77");
  const lost = "this host has lost 10.9.0.2, the address that peers are given, " +
    `and has 10.9.0.77 now: ${REMEDY}`;
  assertEquals([watch.trouble, lines], [lost, [`warn: ${lost}`]]);
  change("eth0 10.9.0.2");
  assertEquals([watch.trouble, lines.slice(1)], [undefined, [
    "info: peers can reach 10.9.0.2 again",
  ]]);
  change();
  assertEquals(lines.slice(2), [
    `warn: this host has lost 10.9.0.2, the address that peers are given: ${REMEDY}`,
  ]);
});

Deno.test("where the system tells no addresses, as file descriptors ran out, what was known stays", () => {
  let fails = false;
  let present = ["eth0 10.9.0.2"];
  const lines: string[] = [];
  const watch = new AddressWatch({
    advertiseHost: "10.9.0.2",
    advertiseDefault: true,
    network: {
      addresses() {
        if (fails) throw new Error("Too many open files (os error 24)");
        return networkOf({ addresses: present }).addresses();
      },
      defaultInterfaces: () => [],
    },
    onNotice: (level, text) => lines.push(`${level}: ${text}`),
  });
  const look = () => (watch.check(), watch.trouble);
  fails = true;
  assertEquals([look(), lines], [undefined, []]);
  [fails, present] = [false, []];
  const lost = look();
  assertEquals(lines, [`warn: ${lost}`]);
  fails = true;
  assertEquals([look(), lines.length], [lost, 1]);
});

Deno.test("addresses that a flag gives are not called wrong: the loopback, and one that is translated", () => {
  for (const advertised of ["127.0.0.1", "203.0.113.7"]) {
    const { lines, change } = watchOf(advertised, { byDefault: false });
    change("eth0 10.9.0.2");
    change("eth0 10.9.0.3");
    assertEquals(lines, [], advertised);
  }
});

Deno.test("a watch that is stopped leaves no timer behind, and one over a name needs none", () => {
  for (const advertised of ["10.9.0.2", "n1.example"]) {
    const { watch } = watchOf(advertised);
    watch.start();
    watch.stop();
  }
  watchOf("n1.example").watch.start();
});
