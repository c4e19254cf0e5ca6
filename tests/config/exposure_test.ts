import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/config/config.ts";
import { describeListening, idHint, ownNames, warnings } from "../../lib/config/exposure.ts";

function configOf(args: string, env: Record<string, string> = {}) {
  const given = args.split(" ").filter((word) => word !== "");
  const parsed = parseConfig(given, (name) => env[name], {
    hostname: "Host1.example",
    randomId: "0123abcd",
  });
  assert(parsed.kind === "run", JSON.stringify(parsed));
  return parsed.config;
}

Deno.test("warnings() warns of a node without a key that listens beyond the loopback", () => {
  for (
    const args of ["", "-host 0.0.0.0", "-host ::", "-host 10.0.0.1", "-host n1", "-host 128.0.0.1"]
  ) {
    assertEquals(
      warnings(configOf(args), "n1:8080").map((line) => line.slice(0, 7)),
      ["no key:"],
      args,
    );
  }
});

Deno.test("warnings() tells of hooks that strangers can have run, where they can", () => {
  const [line = ""] = warnings(configOf("-on-change notify.sh"), "n1:8080");
  assert(
    line.includes("forge heartbeats, and so have -on-change run or keep it quiet; give"),
    line,
  );
  assertEquals(warnings(configOf("-on-change notify.sh -key-file f"), "n1:8080"), []);
});

Deno.test("warnings() has nothing to say of the loopback, or of a cluster with a key", () => {
  for (
    const args of [
      "-host 127.0.0.1",
      "-host 127.1.2.3",
      "-host ::1",
      "-host localhost",
      "-key-file f",
    ]
  ) {
    assertEquals(warnings(configOf(args), "n1:8080"), [], args);
  }
  assertEquals(warnings(configOf("", { GOSSIPER_KEY: "x" }), "n1:8080"), []);
});

Deno.test("warnings() warns of a port at which no browser and no command asks", () => {
  const told = (args: string) => warnings(configOf(`-key-file f ${args}`), "n1:8080");
  assertEquals(told("-port 6000"), [
    "-port 6000 belongs to another protocol: no browser opens this node's page there, " +
    "and no command asks it; give another port",
  ]);
  for (const args of ["", "-port 0", "-port 80", "-port 6001"]) assertEquals(told(args), [], args);
});

Deno.test("warnings() warns of a node that is told to join nobody but itself, as by a load balancer's name", () => {
  const told = (args: string) => warnings(configOf(`-key-file f -advertise lb ${args}`), "lb:8080");
  assertEquals(told("-join lb:8080"), [
    "-join names only lb:8080, which is this node itself: it joins nobody, and waits to be joined; " +
    "if that is a load balancer's name, give peers a name of this host alone with -advertise",
  ]);
  for (
    const join of ["", "-join lb:8080,n2:8080", "-join lb:8081", "-join srv:_g._tcp.lb,lb:8080"]
  ) {
    assertEquals(told(join), [], join);
  }
});

Deno.test("idHint() tells a node that keeps no ID that a restart makes it a new member", () => {
  assertEquals(
    idHint(configOf("")),
    "no -id and no -state: after a restart this node is a new member, with another ID; give one of them",
  );
  for (const args of ["-id a", "-state f"]) assertEquals(idHint(configOf(args)), undefined);
});

Deno.test("ownNames() are the host's, the one listened on, the one advertised and those of -name, in lower case", () => {
  const config = configOf(
    "-host Listen.example -advertise Public.example:80 -name Alias.example.,Proxy.example",
  );
  const names = [
    "alias.example",
    "host1.example",
    "listen.example",
    "proxy.example",
    "public.example",
  ];
  assertEquals([...ownNames(config, "Host1.example")].sort(), names);
  assertEquals(ownNames(configOf("-advertise n1"), "not a name"), new Set(["n1"]));
});

Deno.test("describeListening() gives a link to the page, what is listened on, the process ID and how to join", () => {
  const at = { scheme: "http", port: 8080, address: "n1:80", pid: 4242 } as const;
  const every = "every IPv4 and IPv6 address";
  assertEquals(
    describeListening(configOf("-advertise n1:80"), { ...at, on: every }),
    "listens on http://n1:8080/ (every IPv4 and IPv6 address, pid 4242), known to peers as n1:80; " +
      "others join it with -join n1:80",
  );
  assertEquals(
    describeListening(configOf("-host ::1 -advertise n1:80 -join n2:80"), { ...at, on: undefined }),
    "listens on http://[::1]:8080/ (pid 4242), known to peers as n1:80",
  );
  assertEquals(
    describeListening(configOf("-advertise web.1"), { ...at, address: "web.1:8080", on: every }),
    "listens on http://localhost:8080/ (every IPv4 and IPv6 address, pid 4242), " +
      "known to peers as web.1:8080; others join it with -join web.1:8080",
    "a link that a browser opens",
  );
});
