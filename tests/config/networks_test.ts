import { assert, assertEquals } from "@std/assert";
import { ipBytes } from "../../lib/address.ts";
import { mayCall, type Network, parseNetwork } from "../../lib/config/networks.ts";

function networks(...texts: string[]): Network[] {
  return texts.map((text) => {
    const network = parseNetwork(text);
    assert(network !== undefined, text);
    return network;
  });
}

Deno.test("parseNetwork() reads networks of both families and single addresses, and nothing else", () => {
  for (
    const good of [
      "10.0.0.0/8",
      "0.0.0.0/0",
      "192.168.1.7",
      "::/0",
      "fd00::/8",
      "::1/128",
      "2001:db8::/33",
    ]
  ) {
    assert(parseNetwork(good) !== undefined, good);
  }
  const bad = [
    "",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "::1/129",
    "fd00::1/8",
    "host",
    "10.0.0/8",
    "1.2.3.4/",
    "/8",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "2001:db8::/16",
    "[::1]",
    "0x7f.0.0.1",
    "1e3::/8x",
  ];
  for (const text of bad) assertEquals(parseNetwork(text), undefined, text);
});

Deno.test("mayCall() with -allow calls what lies in one of its networks, and no more", () => {
  const allowed = networks("10.1.0.0/16", "192.168.7.9", "fd00:1::/32", "172.16.0.0/12");
  for (
    const inside of [
      "10.1.0.0",
      "10.1.255.255",
      "192.168.7.9",
      "fd00:1::5",
      "::ffff:10.1.2.3",
      "172.31.0.1",
    ]
  ) {
    assert(mayCall(inside, allowed), inside);
  }
  for (
    const outside of [
      "10.0.255.255",
      "10.2.0.0",
      "192.168.7.8",
      "fd00:2::",
      "127.0.0.1",
      "::1",
      "172.32.0.1",
    ]
  ) {
    assert(!mayCall(outside, allowed), outside);
  }
});

Deno.test("mayCall() without -allow calls all but link-local, multicast and nobody's addresses", () => {
  for (
    const forbidden of [
      "169.254.169.254",
      "::ffff:169.254.169.254",
      "fe80::1",
      "febf::1",
      "fd00:ec2::254",
      "224.0.0.1",
      "ff02::1",
      "0.0.0.0",
      "::",
    ]
  ) assert(!mayCall(forbidden, []), forbidden);
  for (
    const fine of [
      "127.0.0.1",
      "::1",
      "10.0.0.1",
      "8.8.8.8",
      "169.253.255.255",
      "169.255.0.0",
      "fec0::1",
      "fd00:ec2::253",
    ]
  ) {
    assert(mayCall(fine, []), fine);
  }
  assert(mayCall("169.254.3.4", networks("169.254.0.0/16")), "unless -allow says so");
});

Deno.test("mayCall() never calls what is no IP address", () => {
  for (const text of ["", "localhost", "host.example", "1.2.3", "0x7f.1"]) {
    assert(!mayCall(text, []), text);
    assert(!mayCall(text, networks("0.0.0.0/0", "::/0")), text);
  }
});

Deno.test("ipBytes() gives one form to every spelling of an address", () => {
  const same = ["::ffff:1.2.3.4", "1.2.3.4", "::ffff:102:304", "0:0:0:0:0:ffff:102:304"];
  for (const text of same) {
    assertEquals(ipBytes(text), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4], text);
  }
});
