import { assert, assertEquals, assertLess } from "@std/assert";
import {
  ADDRESS_BYTES_MAX,
  formatAddress,
  ID_LENGTH_MAX,
  ipBytes,
  isId,
  isLoopback,
  normalizeAddress,
  normalizeHost,
  parseAddress,
} from "../lib/address.ts";
import fc from "fast-check";

Deno.test("isId() takes 1 to 64 of A-Z a-z 0-9 . _ : - and nothing else", () => {
  for (const id of ["a", "n1", "0", "A.b_c:d-e", "a".repeat(ID_LENGTH_MAX)]) {
    assert(isId(id), `refused ${id}`);
  }
  const bad = [
    "",
    "a".repeat(ID_LENGTH_MAX + 1),
    "a b",
    "<b>x</b>",
    "a\n",
    "\na",
    "a/b",
    "ü",
    "\u212a",
    "a\0",
  ];
  for (const id of bad) assert(!isId(id), `took ${JSON.stringify(id)}`);
});

Deno.test("normalizeAddress() has one spelling for each address", () => {
  const cases = {
    "localhost:8080": "localhost:8080",
    "N1.Example.COM:80": "n1.example.com:80",
    "n1.example.com.:80": "n1.example.com.:80",
    "node_1:1": "node_1:1",
    "10.0.0.1:65535": "10.0.0.1:65535",
    "[::1]:8080": "[::1]:8080",
    "[0:0:0:0:0:0:0:1]:8080": "[::1]:8080",
    "[FD00::00AB]:1": "[fd00::ab]:1",
    "[::ffff:10.0.0.1]:1": "[::ffff:a00:1]:1",
  };
  for (const [text, expected] of Object.entries(cases)) {
    assertEquals(normalizeAddress(text), expected, text);
    assertEquals(normalizeAddress(expected), expected, "a second time");
  }
});

Deno.test("normalizeAddress() refuses what is no host and port", () => {
  const bad = [
    ["", ":", ":80", "host", "host:", "host:0", "host:65536", "host:080", "host:+80", "host:-1"],
    [
      "host:8o",
      "host:80 ",
      " host:80",
      "host:80\n",
      "ho st:80",
      "host:1e3",
      "host:99999",
      "host:123456",
    ],
    [
      "a..b:80",
      ".a:80",
      "<b>:80",
      "a/b:80",
      "user@host:80",
      "http://a:80",
      "a?b:80",
      "a#b:80",
      "a%20:80",
    ],
    [
      "::1:8080",
      "[::1]",
      "[::1]8080",
      "[]:80",
      "[host]:80",
      "[1.2.3.4]:80",
      "[::1::]:80",
      "[:::]:80",
    ],
    [
      "[fe80::1%eth0]:80",
      "[fe80::1%25eth0]:80",
      "fe80::1]:80",
      "[[::1]]:80",
      "[1:2:3]:80",
      "[::g]:80",
    ],
    [
      "1.2.3:80",
      "1.2.3.4.5:80",
      "256.0.0.1:80",
      "01.2.3.4:80",
      "2130706433:80",
      "0x7f.1:80",
      "0x7f.0X1:80",
      "314159265358:80",
      "10.0.0.256:80",
      "1.0x.:80",
    ],
    ["1.2.3.4.:80", "\u212ahost:80", "münchen:80", "host:８０", "a\0:80"],
  ].flat();
  for (const text of bad) {
    assertEquals(normalizeAddress(text), undefined, JSON.stringify(text));
  }
});

Deno.test("normalizeAddress() takes a name that ends in a number, if not all its labels are numbers", () => {
  const names = ["web.1:80", "Web.1.:80", "a.0x:80", "1.a.2:80", "0xg.1:80", "0x.a.1:80", "-.1:80"];
  for (const text of names) {
    assertEquals(normalizeAddress(text), text.toLowerCase());
    // Nothing reads them as an IPv4 address: a URL is an error, the system's lookup asks for the name.
    assertEquals(URL.canParse(`http://${text}/`), false, text);
  }
});

Deno.test("normalizeAddress() takes 255 bytes and refuses 256", () => {
  const host = "a".repeat(ADDRESS_BYTES_MAX - ":80".length);
  assertEquals(normalizeAddress(`${host}:80`), `${host}:80`);
  assertEquals(normalizeAddress(`${host}a:80`), undefined);
});

Deno.test("normalizeHost() takes IPv6 with and without brackets", () => {
  assertEquals(normalizeHost("[FD00::1]"), "fd00::1");
  assertEquals(normalizeHost("fd00:0::1"), "fd00::1");
  assertEquals(normalizeHost("Host"), "host");
  for (const text of ["", "[host]", "host:80", "[::1]:80", "*"]) {
    assertEquals(normalizeHost(text), undefined, text);
  }
});

Deno.test("ipBytes() are the sixteen bytes of an address, those of IPv4 as IPv6 maps them, and none of a name", () => {
  const bytes = (text: string) => ipBytes(text)?.map((byte) => byte.toString(16)).join(" ");
  assertEquals(bytes("10.0.2.255"), "0 0 0 0 0 0 0 0 0 0 ff ff a 0 2 ff");
  assertEquals(bytes("fd12:3456::7:89ab"), "fd 12 34 56 0 0 0 0 0 0 0 0 0 7 89 ab");
  assertEquals(bytes("::1"), "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1");
  assertEquals(bytes("1:2:3:4:5:6:7:8"), "0 1 0 2 0 3 0 4 0 5 0 6 0 7 0 8");
  assertEquals(["web.1.example", "[", ""].map(bytes), [undefined, undefined, undefined]);
});

Deno.test("parseAddress() and formatAddress() are inverse", () => {
  assertEquals(parseAddress("[::1]:80"), { host: "::1", port: 80 });
  assertEquals(formatAddress("::1", 80), "[::1]:80");
  assertEquals(parseAddress("Host:80"), { host: "host", port: 80 });
  assertEquals(formatAddress("host", 80), "host:80");
});

Deno.test("an address that passes is the same place when a URL reads it", () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((v6) => `[${v6}]`),
    fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
    fc.string(),
  );
  fc.assert(
    fc.property(host, port, (host, port) => {
      const address = normalizeAddress(`${host}:${port}`);
      if (address === undefined) return;
      const url = URL.parse(`http://${address}/`);
      // Names of invalid Punycode, and those that end in a number, fail in a URL; they lead nowhere else.
      if (url === null) return /xn--|[a-z_-].*\.(?:[0-9]+|0x[0-9a-f]*)\.?:/.test(address);
      return `${url.hostname}:${url.port || 80}` === address;
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("normalizeAddress() of hostile texts takes time in proportion to their length", () => {
  const hostile = (length: number) => [
    "a".repeat(length),
    "a.".repeat(length / 2),
    "-".repeat(length) + ":80",
    "[" + ":".repeat(length) + "]:80",
  ];
  // As many letters in all: short texts a hundred times, long ones once.
  const [short, long] = [hostile(10_000), hostile(1_000_000)];
  const timeMs = (texts: string[], times: number) => {
    const startMs = performance.now();
    for (let i = 0; i < times; i++) {
      for (const text of texts) assertEquals(normalizeAddress(text), undefined);
    }
    return performance.now() - startMs;
  };
  const shortMs = timeMs(short, 100);
  const longMs = timeMs(long, 1);
  // Were it quadratic, the long ones would take a hundred times as long. What hardly looks at a text is too quick to measure.
  assertLess(longMs, 30 * Math.max(shortMs, 1), `${shortMs} ms in short ones`);
  for (const text of long) assertEquals(normalizeAddress(text.slice(0, 254) + "!"), undefined);
});

Deno.test("isLoopback() knows every spelling of what leads a host to itself, and nothing else", () => {
  const loopback = ["127.0.0.1", "127.0.1.1", "::1", "::ffff:7f00:1", "localhost", "n1.localhost"];
  for (const host of loopback) assert(isLoopback(normalizeHost(host)!), host);
  const others = [
    "128.0.0.1",
    "10.0.0.127",
    "::",
    "::11",
    "::ffff:800:1",
    "127.example",
    "localhost.example",
  ];
  for (const host of [...others, "mylocalhost"]) assert(!isLoopback(normalizeHost(host)!), host);
});
