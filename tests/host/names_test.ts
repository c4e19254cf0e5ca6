import { assert, assertEquals } from "@std/assert";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import { type Host, type LookupResult, settleNames, thisHost } from "../../lib/host/names.ts";
import { networkOf } from "../support/network.ts";

/** A host named `vm`, or otherwise, at 192.0.2.2, that knows these names; every other one does not exist. */
function hostOf(
  names: Record<string, LookupResult>,
  { name = "vm", address = "192.0.2.2" } = {},
): Host {
  const network = networkOf({ addresses: ["lo 127.0.0.1", `eth0 ${address}`] });
  return { name, network, lookup: (name) => names[name] ?? "missing" };
}

function configOf(args: string, hostname: string): Config {
  const words = args.split(" ").filter((word) => word !== "");
  const parsed = parseConfig(words, () => undefined, { hostname, randomId: "n1" });
  assert(parsed.kind === "run", JSON.stringify(parsed));
  return parsed.config;
}

/** The message for wrong use, or what peers are given and warned of. */
async function settle(
  args: string,
  host: Host,
): Promise<string | [advertised: string, warning?: string]> {
  const settled = await settleNames(configOf(args, host.name), host);
  if (settled.kind === "usage") return settled.message;
  const { config: { advertiseHost }, warning } = settled;
  return warning === undefined ? [advertiseHost] : [advertiseHost, warning];
}

Deno.test("this host's name is what peers are given where it resolves", async () => {
  assertEquals(await settle("", hostOf({ vm: "found" })), ["vm"]);
});

Deno.test("where this host's name does not resolve, peers are given its address, and the log says so", async () => {
  const warning =
    "this host's name, 'vm', does not resolve: peers are given its address 192.0.2.2 " +
    "instead; -advertise gives them another";
  for (const vm of ["missing", "unsure"] as const) {
    assertEquals(await settle("", hostOf({ vm })), ["192.0.2.2", warning]);
  }
});

Deno.test("where this host's name leads to the loopback, as on cloned hosts, peers are given its address", async () => {
  for (const name of ["vm", "localhost"]) {
    const warning = `this host's name, '${name}', resolves to a loopback address, which leads ` +
      "each peer to itself: peers are given its address 192.0.2.2 instead; " +
      "-advertise gives them another";
    const host = hostOf({ [name]: "loopback" }, { name });
    assertEquals(await settle("", host), ["192.0.2.2", warning]);
    assertEquals(await settle(`-advertise ${name}`, host), [name], "unless -advertise gives it");
    assertEquals(await settle(`-host ${name}`, host), [name], "unless the node listens there");
  }
});

Deno.test("with TLS peers are given this host's name, which its certificate holds, but not localhost", async () => {
  const tls = "-tls-cert c -tls-key k";
  for (const vm of ["loopback", "unsure"] as const) {
    assertEquals(await settle(tls, hostOf({ vm })), ["vm"], vm);
  }
  assertEquals(
    (await settle(tls, hostOf({ vm: "missing" })))[0],
    "192.0.2.2",
    "nobody could call it",
  );
  const [address] = await settle(tls, hostOf({ localhost: "loopback" }, { name: "localhost" }));
  assertEquals(address, "192.0.2.2");
});

Deno.test("a host whose name looks like a number, or is no name, gives peers its address", async () => {
  for (const name of ["314159265358", "10.0.0.256", "my host"]) {
    const warning = `this host's name, '${name}', cannot be used in an address: ` +
      "peers are given its address 192.0.2.2 instead; -advertise gives them another";
    assertEquals(await settle("", hostOf({ localhost: "loopback" }, { name })), [
      "192.0.2.2",
      warning,
    ]);
  }
});

Deno.test("a host without any address for peers gives them the loopback's, and says what to do", async () => {
  assertEquals(await settle("", hostOf({}, { address: "fe80::1" })), [
    "127.0.0.1",
    "this host's name, 'vm', does not resolve: peers are given 127.0.0.1, as it has no address " +
    "that they could reach; connect it and restart this node, or give them another with -advertise",
  ]);
});

Deno.test("a loopback address that flags give is warned of where the node joins another host, and only there", async () => {
  const host = hostOf({ vm: "found", localhost: "loopback", "127.0.0.1": "loopback", n1: "found" });
  const warning = (given: string, seed: string, more = "") =>
    `peers are given ${given}, which leads each to itself, though this node joins ${seed}: ` +
    `give them an address that they can reach with -advertise${more}`;
  assertEquals(await settle("-advertise 127.0.0.1 -join n1:8080", host), [
    "127.0.0.1",
    warning("127.0.0.1", "n1"),
  ]);
  assertEquals(await settle("-host localhost -join 127.0.0.1:8081,n1:8080", host), [
    "localhost",
    warning("localhost", "n1", ", and listen there (-host)"),
  ]);
  for (const join of ["", "-join localhost:8081", "-join 127.0.0.1:8081", "-join srv:_g._tcp.x"]) {
    assertEquals(await settle(`-advertise 127.0.0.1 ${join}`, host), ["127.0.0.1"], join);
  }
  assertEquals(await settle("-advertise vm -join n1:8080", host), ["vm"]);
});

Deno.test("a name of -host or -advertise that does not exist is wrong use, and said with what to do", async () => {
  const host = hostOf({ vm: "found", n1: "found" });
  assertEquals(
    await settle("-host nope", host),
    "Cannot listen on -host 'nope': the name does not resolve; " +
      "give an address of this host, such as 127.0.0.1, or leave -host out",
  );
  assertEquals(
    await settle("-advertise nope:80", host),
    "Cannot give peers -advertise 'nope': the name does not resolve; " +
      "give one that does, or an address, such as 192.0.2.2",
  );
  assertEquals(await settle("-advertise n1", host), ["n1"]);
  assertEquals(await settle("-host n1", host), ["n1"]);
});

Deno.test("a name that cannot be looked up just now is used as it is", async () => {
  const host = hostOf({ vm: "found", later: "unsure" });
  for (const args of ["-host later", "-advertise later"]) {
    assertEquals(await settle(args, host), ["later"]);
  }
  assertEquals(await settle("-join later:80", host), ["vm"]);
});

Deno.test("-join is wrong use where none of its names exists", async () => {
  const host = hostOf({ vm: "found", n1: "found", later: "unsure", "192.0.2.9": "found" });
  assertEquals(
    await settle("-join nope:80", host),
    "Cannot join 'nope': the name does not resolve; check it, or give an address",
  );
  assertEquals(
    await settle("-join nope:80,gone:81", host),
    "Cannot join 'nope', 'gone': none of the names resolves; check them, or give addresses",
  );
  for (const other of ["n1:80", "later:80", "192.0.2.9:80", "srv:_gossiper._tcp.nope"]) {
    assertEquals(await settle(`-join nope:80,${other}`, host), ["vm"], other);
  }
});

Deno.test("-join may name nobody that exists where a state file remembers others", async () => {
  assertEquals(await settle("-join nope:80 -state f", hostOf({ vm: "found" })), ["vm"]);
});

Deno.test("this host knows localhost and its addresses, but no name that cannot be one", () => {
  assertEquals(thisHost.lookup("localhost"), "loopback");
  assertEquals(thisHost.lookup("127.0.0.1"), "loopback");
  // An address for documentation: it resolves to itself, though no host has it.
  assertEquals(thisHost.lookup("192.0.2.255"), "found");
  assertEquals(thisHost.lookup(`${"x".repeat(64)}.invalid`), "missing");
});
