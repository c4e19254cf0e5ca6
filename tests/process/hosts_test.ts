/** How a node starts on hosts of many kinds, each in namespaces of its own, with no flag that names an address. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { canUnshare, runUnshared } from "../support/unshared.ts";

const ignore = !canUnshare;

/** What a node says first on a host that these commands make, started with these flags. */
async function firstLines(setUp: string, ...args: string[]): Promise<string> {
  const program = new URL("./first_lines.ts", import.meta.url);
  const { code, output } = await runUnshared(program, { setUp, args: ["-id", "n1", ...args] });
  assertEquals(code, 0, output);
  return output;
}

/** A host of this name, whose hosts file holds this line too, without a network. */
function unconnected(name: string, line = ""): string {
  return `
    hostname ${name} && printf '127.0.0.1 localhost\\n${line}\\n' > "$0/hosts" &&
    mount --bind "$0/hosts" /etc/hosts`;
}

/** The same host with a bridge of containers, and a network at 10.9.0.7 after it. */
function hostCalled(name: string, line = ""): string {
  return `${unconnected(name, line)} &&
    ip link add docker0 type bridge && ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up &&
    ip link add eth0 type veth peer name peer0 && ip link set peer0 up &&
    ip addr add 10.9.0.7/24 dev eth0 && ip link set eth0 up && ip route add default via 10.9.0.1`;
}

Deno.test("a node listens on every IPv4 and IPv6 address, and says so, with its process ID", {
  ignore,
}, async () => {
  const output = await firstLines("true");
  assertMatch(output, /listens on http:\S+ \(every IPv4 and IPv6 address, pid [1-9]\d*\), known/);
  assertStringIncludes(output, "IPv4: ok\nIPv6: ok\n");
});

Deno.test("a node listens for IPv4 too where net.ipv6.bindv6only is 1", { ignore }, async () => {
  const apart = "sysctl -qw net.ipv6.bindv6only=1";
  const output = await firstLines(apart);
  assertStringIncludes(output, "(every IPv4 and IPv6 address, pid");
  assertStringIncludes(output, "IPv4: ok\nIPv6: ok\n");
  const ipv6 = await firstLines(apart, "-host", "::");
  assertStringIncludes(ipv6, "(every IPv6 address, pid");
  assertStringIncludes(ipv6, "IPv4: refused\nIPv6: ok\n");
});

Deno.test("a node that is told to listen for IPv4 alone says so", { ignore }, async () => {
  const output = await firstLines("true", "-host", "0.0.0.0");
  assertStringIncludes(output, "(every IPv4 address, pid");
  assertStringIncludes(output, "IPv4: ok\nIPv6: refused\n");
});

Deno.test("hosts cloned under one name that leads to the loopback give peers their own addresses", {
  ignore,
}, async () => {
  for (const [name, hosts] of [["raspberrypi", "127.0.1.1 raspberrypi"], ["localhost", ""]]) {
    const output = await firstLines(hostCalled(name!, hosts));
    assertStringIncludes(output, "known to peers as 10.9.0.7:8080");
    assertStringIncludes(output, `warning: this host's name, '${name}', resolves to a loopback`);
  }
});

Deno.test(
  "a name that leads to an address of the host's own is what peers are given",
  { ignore },
  async () => {
    const output = await firstLines(hostCalled("vm", "10.9.0.7 vm"));
    assertStringIncludes(output, "known to peers as vm:8080");
  },
);

Deno.test(
  "hosts whose names look like numbers start, and give peers their addresses with a warning",
  { ignore },
  async () => {
    for (const name of ["314159265358", "web.1"]) {
      const output = await firstLines(hostCalled(name));
      assertStringIncludes(output, "known to peers as 10.9.0.7:8080");
      assertStringIncludes(output, `warning: this host's name, '${name}', `);
    }
  },
);

Deno.test("nodes whose names end in numbers, as those of a Swarm's tasks, see each other", {
  ignore,
}, async () => {
  const output = await firstLines(hostCalled("web.1", "10.9.0.7 web.1"));
  assertStringIncludes(output, "known to peers as web.1:8080");
  const program = new URL("./numbered_names.ts", import.meta.url);
  const setUp = hostCalled("vm", "127.0.0.1 web.1 web.2");
  const tasks = await runUnshared(program, { setUp });
  assertEquals(tasks.code, 0, tasks.output);
});

Deno.test("a node that started before its host had an address says so in the log and on /healthz", {
  ignore,
}, async () => {
  const program = new URL("./late_network.ts", import.meta.url);
  const { code, output } = await runUnshared(program, { setUp: unconnected("vm") });
  assertEquals(code, 0, output);
});
