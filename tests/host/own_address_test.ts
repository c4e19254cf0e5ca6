import { assert, assertEquals } from "@std/assert";
import {
  addressForPeers,
  defaultRoutes,
  defaultRoutes6,
  thisNetwork,
} from "../../lib/host/own_address.ts";
import { networkOf } from "../support/network.ts";

/** A host that lists its loopback, a bridge of containers and a VPN before the interface that others reach. */
const ADDRESSES = [
  "lo 127.0.0.1",
  "docker0 172.17.0.1",
  "tun0 10.8.0.6",
  "eth0 192.0.2.2",
  "lo ::1",
  "eth0 fd00::2",
  "eth0 fe80::1",
];

Deno.test("peers are given the address from which this host calls its seeds, whatever is listed before it", async () => {
  const towards = { n1: "192.0.2.2", n2: "10.8.0.6", n6: "fd00::2" };
  const network = networkOf({ addresses: ADDRESSES, towards, defaultInterfaces: ["docker0"] });
  assertEquals(await addressForPeers(network, ["n1:8080"]), "192.0.2.2");
  assertEquals(await addressForPeers(network, ["n2:8080"]), "10.8.0.6");
  assertEquals(await addressForPeers(network, ["down:8080", "n6:8080"]), "fd00::2");
});

Deno.test("without a seed that answers, peers are given an address on the default route's interface", async () => {
  const network = networkOf({ addresses: ADDRESSES, defaultInterfaces: ["eth0", "tun0"] });
  for (const join of [[], ["down:8080"], ["srv:_gossiper._tcp.example"]]) {
    assertEquals(await addressForPeers(network, join), "192.0.2.2");
  }
});

Deno.test("a seed on this host shows no way to other hosts", async () => {
  const towards = { localhost: "127.0.0.1", self: "::1" };
  const network = networkOf({ addresses: ADDRESSES, towards, defaultInterfaces: ["eth0"] });
  assertEquals(await addressForPeers(network, ["localhost:8080", "self:8080"]), "192.0.2.2");
});

Deno.test("without any route, peers are given the first address that is not for one host or link, IPv4 first", async () => {
  const given = (...addresses: string[]) => addressForPeers(networkOf({ addresses }), []);
  assertEquals(await given("lo 127.0.0.1", "eth0 fe80::1", "eth0 fd00::2"), "fd00::2");
  assertEquals(await given("eth0 fd00::2", "eth1 10.0.0.1", "eth2 10.0.0.2"), "10.0.0.1");
  assertEquals(await given("lo 127.0.0.1", "lo ::1", "eth0 169.254.1.1"), "127.0.0.1");
});

Deno.test("defaultRoutes() reads Linux's table of IPv4: the default routes that are up, by metric", () => {
  const table = [
    "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT",
    "wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0",
    "eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0",
    "tun0 00000000 0108000A 0003 0 0 50 00000080 0 0 0", // 0.0.0.0/1
    "lo 00000000 00000000 0201 0 0 0 00000000 0 0 0", // unreachable
    "docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0",
    "",
  ].map((line) => line.split(" "));
  assertEquals(defaultRoutes(table), ["eth0", "wlan0"]);
});

Deno.test("defaultRoutes6() reads Linux's table of IPv6: the default routes that are up, by metric", () => {
  const zeros = "0".repeat(32);
  const table = [
    `fd000000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 1 0 00000001 eth0`,
    `${zeros} 00 ${zeros} 00 fd000000000000000000000000000001 00000400 3 0 00000003 wlan0`,
    `${zeros} 00 ${zeros} 00 fd000000000000000000000000000001 000000ff 3 0 00000003 eth0`,
    `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 1 0 00200200 lo`,
    "",
  ].map((line) => line.split(" "));
  assertEquals(defaultRoutes6(table), ["eth0", "wlan0"]);
});

Deno.test("this host knows its loopback, and from where it calls a peer that accepts connections", async () => {
  assert(thisNetwork.addresses().some(({ address }) => address === "127.0.0.1"));
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const peer = { host: "127.0.0.1", port: listener.addr.port };
  assertEquals(await thisNetwork.addressTowards(peer), "127.0.0.1");
  listener.close();
  assertEquals(await thisNetwork.addressTowards(peer), undefined);
});
