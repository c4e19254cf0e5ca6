import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  formatDuration,
  NAMES_MAX,
  readAdvertise,
  readDeadAfter,
  readFile,
  readHost,
  readId,
  readInterval,
  readNames,
  readPort,
  readSeeds,
  readSwitch,
  SEEDS_MAX,
} from "../../lib/config/values.ts";
import { ADDRESS_BYTES_MAX } from "../../lib/address.ts";
import { UsageError } from "../../lib/config/flags.ts";

/** Every text must be refused with the advice. */
function assertRefused(read: (text: string) => unknown, texts: string[], advice: string): void {
  for (const text of texts) {
    const { message } = assertThrows(
      () => read(text),
      UsageError,
      "",
      `took ${JSON.stringify(text)}`,
    );
    assertStringIncludes(message, advice, JSON.stringify(text));
  }
}

Deno.test("readId() takes the IDs that a node may have", () => {
  for (const id of ["a", "A.b_c:d-e", "-x", "a".repeat(64)]) assertEquals(readId(id), id);
  const bad = ["", "a b", "<b>x</b>", "a".repeat(65), "ü", "a\n"];
  assertRefused(readId, bad, "give 1 to 64 of the characters");
});

Deno.test("readPort() takes 0 to 65535", () => {
  for (const port of [0, 1, 8080, 65_535]) assertEquals(readPort(`${port}`), port);
  const bad = [
    "",
    "65536",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x10",
    "80a",
    " 80",
    "８０",
    "999999",
    "Infinity",
  ];
  assertRefused(readPort, bad, "give a number from 0 to 65535");
});

Deno.test("readPort() knows the variable that Kubernetes sets", () => {
  assertRefused(readPort, ["tcp://10.0.0.1:8080"], "enableServiceLinks");
});

Deno.test("readHost() takes a name or an IP address", () => {
  const hosts = {
    "127.0.0.1": "127.0.0.1",
    "::1": "::1",
    "[::1]": "::1",
    "Localhost": "localhost",
    "::": "::",
  };
  for (const [text, host] of Object.entries(hosts)) assertEquals(readHost(text), host);
  const bad = ["", "localhost:80", "*", "fe80::1%eth0", "a b", "http://a", "256.0.0.1"];
  assertRefused(readHost, bad, "give an address or name of this host");
});

Deno.test("readAdvertise() takes a host or host:port that peers can reach", () => {
  const cases: Record<string, [string, number | undefined]> = {
    "N1": ["n1", undefined],
    "n1:80": ["n1", 80],
    "10.0.0.1": ["10.0.0.1", undefined],
    "[FD00::1]:80": ["fd00::1", 80],
    "[fd00::1]": ["fd00::1", undefined],
    "fd00::1": ["fd00::1", undefined],
  };
  for (const [text, [host, port]] of Object.entries(cases)) {
    assertEquals(readAdvertise(text), { host, port }, text);
  }
  const bad = [
    "",
    "n1:0",
    "n1:",
    ":80",
    "n1:65536",
    "http://n1",
    "[::1",
    "0.0.0.0",
    "[::]:80",
    "a".repeat(250),
  ];
  assertRefused(readAdvertise, bad, "give a host or host:port that peers can reach");
});

Deno.test("readAdvertise() takes a host that makes 255 bytes with the longest port, and no longer one", () => {
  const host = "a".repeat(ADDRESS_BYTES_MAX - ":65535".length);
  assertEquals(readAdvertise(host).host, host);
  assertRefused(readAdvertise, [`${host}a`, `${host}a:80`], "give a host or host:port");
});

Deno.test("readSeeds() drops spaces, empty entries and repetitions", () => {
  assertEquals(readSeeds(" A:1 ,, b:2,a:1, [0:0::1]:3,"), ["a:1", "b:2", "[::1]:3"]);
  for (const none of ["", " ", " , "]) assertEquals(readSeeds(none), []);
});

Deno.test("readSeeds() names the entry that is not an address", () => {
  assertRefused(
    readSeeds,
    ["a:1,localhost"],
    "'localhost' is not an address; give each as host:port",
  );
  const bad = ["http://a:1", "a:0", "::1:80", "a:1;b:1", "a:1 b:1"];
  assertRefused(readSeeds, bad, "give each as host:port, such as n1:8080 or [::1]:8080");
});

Deno.test("readSeeds() takes 64 nodes and refuses 65", () => {
  const seeds = Array.from({ length: SEEDS_MAX + 1 }, (_, i) => `n${i}:1`);
  assertEquals(readSeeds(seeds.slice(1).join()), seeds.slice(1));
  assertRefused(readSeeds, [seeds.join()], "give at most 64 nodes");
});

Deno.test("readNames() gives names in lower case, without a final dot, empty entries and repetitions", () => {
  assertEquals(readNames(" Gossip.Example. ,, gossip.example,a"), ["gossip.example", "a"]);
  for (const none of ["", " ", " , "]) assertEquals(readNames(none), []);
});

Deno.test("readNames() says which entry is not a host, as is one with scheme, port or path", () => {
  assertRefused(readNames, ["a,b:80"], "'b:80' is not a host; give each without scheme, port or");
  const bad = ["http://a", "https://a/", "a/gossiper", "a b", "a;b", "*.example", "a".repeat(256)];
  assertRefused(readNames, bad, "is not a host");
});

Deno.test("readNames() takes 16 names and refuses 17", () => {
  const names = Array.from({ length: NAMES_MAX + 1 }, (_, i) => `n${i}`);
  assertEquals(readNames(names.slice(1).join()), names.slice(1));
  assertRefused(readNames, [names.join()], "give at most 16 names");
});

Deno.test("readInterval() takes durations from 200ms to 1m", () => {
  const durations = {
    "500ms": 500,
    "5s": 5_000,
    "1.5s": 1_500,
    "1m": 60_000,
    "200ms": 200,
    "0.2s": 200,
  };
  for (const [text, ms] of Object.entries(durations)) assertEquals(readInterval(text), ms, text);
  const outside = ["199ms", "60001ms", "0s", "1h", `${"9".repeat(400)}s`];
  assertRefused(readInterval, outside, "give a duration from 200ms to 1m");
  const bad = [
    "",
    "5",
    "s",
    "1 s",
    "-1s",
    "1m30s",
    "3d",
    ".5s",
    "1.s",
    "1S",
    "1e3ms",
    "5sec",
    "NaNs",
    "1s\n",
  ];
  assertRefused(
    readInterval,
    bad,
    "give a number and one of ms, s, m or h, such as 500ms, 5s or 72h",
  );
});

Deno.test("readDeadAfter() takes durations up to an hour", () => {
  assertEquals(readDeadAfter("1h"), 3_600_000);
  assertEquals(readDeadAfter("60m"), 3_600_000);
  assertRefused(readDeadAfter, ["3600001ms", "2h"], "give a duration of at most 1h");
});

Deno.test("formatDuration() writes the largest unit that fits", () => {
  const durations = { "1500ms": 1_500, "5s": 5_000, "90s": 90_000, "2m": 120_000, "1h": 3_600_000 };
  for (const [text, ms] of Object.entries(durations)) assertEquals(formatDuration(ms), text);
});

Deno.test("readSwitch() takes true, false, 1 and 0", () => {
  assertEquals(["true", "1", "false", "0"].map(readSwitch), [true, true, false, false]);
  assertRefused(readSwitch, ["", "yes", "TRUE"], "give true or false");
});

Deno.test("readSeeds() takes the names of SRV records, and no other name after srv:", () => {
  assertEquals(readSeeds("srv:_Gossiper._tcp.Example, n1:8080"), [
    "srv:_gossiper._tcp.example",
    "n1:8080",
  ]);
  for (const wrong of ["srv:", "srv:example", "srv:_gossiper._udp.example", "srv:_g._tcp.a b"]) {
    assertThrows(() => readSeeds(wrong), UsageError);
  }
});

Deno.test("readFile() takes a path, but none that ends as a folder's", () => {
  assertEquals(readFile("/var/lib/n1.state"), "/var/lib/n1.state");
  for (const wrong of ["/var/lib/", "C:\\lib\\", "a\0b"]) {
    assertThrows(() => readFile(wrong), UsageError);
  }
});
