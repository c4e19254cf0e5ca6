import { assert, assertEquals } from "@std/assert";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import { type Host, type Lookup, settleNames, thisHost } from "../../lib/host/names.ts";

/** A host named `vm` that knows these names; every other one does not exist. */
function hostOf(
  names: Record<string, Lookup>,
  addresses = ["127.0.0.1", "::1", "fe80::1", "169.254.7.7", "fd00::2", "192.0.2.2", "192.0.2.3"],
): Host {
  return { lookup: (name) => names[name] ?? "missing", addresses: () => addresses };
}

function configOf(args: string): Config {
  const words = args.split(" ").filter((word) => word !== "");
  const parsed = parseConfig(words, () => undefined, { hostname: "vm", randomId: "n1" });
  assert(parsed.kind === "run", JSON.stringify(parsed));
  return parsed.config;
}

/** The message for wrong use, or what peers are given and warned of. */
function settle(args: string, host: Host): string | [advertised: string, warning?: string] {
  const settled = settleNames(configOf(args), host);
  if (settled.kind === "usage") return settled.message;
  const { config: { advertiseHost }, warning } = settled;
  return warning === undefined ? [advertiseHost] : [advertiseHost, warning];
}

Deno.test("this host's name is what peers are given where it resolves", () => {
  assertEquals(settle("", hostOf({ vm: "found" })), ["vm"]);
});

Deno.test("where this host's name does not resolve, peers are given its address, and the log says so", () => {
  const warning =
    "this host's name, 'vm', does not resolve: peers are given its address 192.0.2.2 " +
    "instead; -advertise gives them another";
  for (const vm of ["missing", "unsure"] as const) {
    assertEquals(settle("", hostOf({ vm })), ["192.0.2.2", warning]);
  }
});

Deno.test("the address for peers is none of the loopback or of one link, and IPv4 where there is one", () => {
  const given = (...addresses: string[]) => settle("", hostOf({}, addresses))[0];
  assertEquals(given("127.0.0.1", "fe80::1", "fd00::2"), "fd00::2");
  assertEquals(given("fd00::2", "10.0.0.1"), "10.0.0.1");
  assertEquals(given("127.0.0.1", "::1", "169.254.1.1"), "127.0.0.1");
});

Deno.test("a name of -host or -advertise that does not exist is wrong use, and said with what to do", () => {
  const host = hostOf({ vm: "found", n1: "found" });
  assertEquals(
    settle("-host nope", host),
    "Cannot listen on -host 'nope': the name does not resolve; " +
      "give an address of this host, such as 127.0.0.1, or leave -host out",
  );
  assertEquals(
    settle("-advertise nope:80", host),
    "Cannot give peers -advertise 'nope': the name does not resolve; " +
      "give one that does, or an address, such as 192.0.2.2",
  );
  assertEquals(settle("-advertise n1", host), ["n1"]);
  assertEquals(settle("-host n1", host), ["n1"]);
});

Deno.test("a name that only cannot be looked up just now is taken as it is", () => {
  const host = hostOf({ vm: "found", later: "unsure" });
  for (const args of ["-host later", "-advertise later"]) {
    assertEquals(settle(args, host), ["later"]);
  }
  assertEquals(settle("-join later:80", host), ["vm"]);
});

Deno.test("-join is wrong use where none of its names exists", () => {
  const host = hostOf({ vm: "found", n1: "found", later: "unsure", "192.0.2.9": "found" });
  assertEquals(
    settle("-join nope:80", host),
    "Cannot join 'nope': the name does not resolve; check it, or give an address",
  );
  assertEquals(
    settle("-join nope:80,gone:81", host),
    "Cannot join 'nope', 'gone': none of the names resolves; check them, or give addresses",
  );
  for (const other of ["n1:80", "later:80", "192.0.2.9:80", "srv:_gossiper._tcp.nope"]) {
    assertEquals(settle(`-join nope:80,${other}`, host), ["vm"], other);
  }
});

Deno.test("-join may name nobody that exists where a state file remembers others", () => {
  assertEquals(settle("-join nope:80 -state f", hostOf({ vm: "found" })), ["vm"]);
});

Deno.test("this host knows localhost and its addresses, but no name that cannot be one", () => {
  assertEquals(thisHost.lookup("localhost"), "found");
  assertEquals(thisHost.lookup("127.0.0.1"), "found");
  // An address of documentation: it resolves to itself, though no host has it.
  assertEquals(thisHost.lookup("192.0.2.255"), "found");
  assertEquals(thisHost.lookup(`${"x".repeat(64)}.invalid`), "missing");
  assert(thisHost.addresses().includes("127.0.0.1"));
});
