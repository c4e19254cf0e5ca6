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
});

/** Each with the forms in which IPv6 carries IPv4: mapped, NAT64 and 6to4. */
const METADATA = [
  "169.254.169.254",
  "::ffff:a9fe:a9fe",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b::169.254.169.254",
  "2002:a9fe:a9fe::",
  "2002:a9fe:a9fe:1::99",
  "100.100.100.200",
  "::ffff:100.100.100.200",
  "64:ff9b::100.100.100.200",
  "2002:6464:64c8::1",
  "168.63.129.16",
  "64:ff9b::168.63.129.16",
  "2002:a83f:8110::",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
  "fd00:c1::a9fe:a9fe",
  "fd00:42::42",
];

Deno.test("mayCall() never calls a cloud's metadata address in any form, however wide the networks of -allow are", () => {
  const wide = ["0.0.0.0/0", "::/0", "fd00::/8", "169.254.0.0/16", "100.64.0.0/10", "2002::/16"];
  for (const ip of METADATA) {
    assert(!mayCall(ip, []), ip);
    assert(!mayCall(ip, networks(...wide, "64:ff9b::/96")), `${ip} with wide networks`);
    assert(mayCall(ip, networks("192.0.2.1", ip)), `${ip} with its own address in -allow`);
  }
});

Deno.test("mayCall() forbids only what leads to a forbidden IPv4 address in NAT64 and 6to4", () => {
  for (
    const [open, closed] of [
      ["64:ff9b::a9fd:ffff", "64:ff9b::a9fe:0"],
      ["64:ff9b::a9ff:0", "64:ff9b::a9fe:ffff"],
      ["2002:a9fd:ffff::1", "2002:a9fe::1"],
      ["2002:a9ff::1", "2002:a9fe:ffff:ffff::1"],
      ["64:ff9b::7f00:1", "64:ff9b::e000:1"],
      ["2002:0a00:1::", "2002:00ff:1::"],
      ["64:ff9b:1::a9fe:a9fe", "64:ff9b::1"],
    ] as const
  ) {
    assert(mayCall(open, []), open);
    assert(!mayCall(closed, []), closed);
  }
});

Deno.test("mayCall() calls in a link-local network that -allow names, and in no wider one", () => {
  assert(mayCall("169.254.3.4", networks("169.254.0.0/16")));
  assert(mayCall("fe80::1", networks("fe80::/10")));
  assert(!mayCall("169.254.3.4", networks("169.0.0.0/8", "0.0.0.0/0")));
  assert(!mayCall("fe80::1", networks("fe00::/7", "::/0")));
});

Deno.test("mayCall() never calls anything but an IP address", () => {
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
