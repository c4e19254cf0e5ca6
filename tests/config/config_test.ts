import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readHook } from "../../lib/config/hooks.ts";
import { readCheck } from "../../lib/config/checks.ts";
import { parseNetwork } from "../../lib/config/networks.ts";
import { type Config, helpText, parseConfig, type ParsedConfig } from "../../lib/config/config.ts";

const DEFAULTS = { hostname: "Host1", randomId: "0123abcd" };

function parse(args: string[], env: Record<string, string> = {}): ParsedConfig {
  return parseConfig(args, (name) => env[name], DEFAULTS);
}

function configOf(args: string[], env: Record<string, string> = {}): Config {
  const parsed = parse(args, env);
  assert(parsed.kind === "run", `${JSON.stringify(args)}: ${JSON.stringify(parsed)}`);
  return parsed.config;
}

function usageOf(args: string[], env: Record<string, string> = {}): string {
  const parsed = parse(args, env);
  assert(parsed.kind === "usage", `${JSON.stringify(args)} was taken: ${JSON.stringify(parsed)}`);
  return parsed.message;
}

Deno.test("parseConfig() without flags gives the defaults, frozen", () => {
  const config = configOf([]);
  assertEquals(config, {
    id: "0123abcd",
    idGiven: false,
    host: undefined,
    port: 8080,
    advertiseHost: "host1",
    advertiseDefault: true,
    advertisePort: undefined,
    join: [],
    cluster: "default",
    state: undefined,
    labels: { tags: {}, ports: {} },
    hooks: [],
    tellAfterMs: 0,
    dns: undefined,
    dist: undefined,
    intervalMs: 1_000,
    deadAfterMs: 5_000,
    checks: [],
    command: undefined,
    forgetMs: 72 * 3_600_000,
    stretchMembers: 10_000,
    keyFile: undefined,
    keyText: undefined,
    private: false,
    tls: undefined,
    names: [],
    allow: [],
    logFormat: "text",
    logLevel: "info",
  });
  assert(Object.isFrozen(config) && Object.isFrozen(config.join));
});

Deno.test("parseConfig() takes every flag from the command line and from the environment", () => {
  const values = {
    "-id": "n1",
    "-port": "0",
    "-host": "[::1]",
    "-advertise": "Public:80",
    "-join": "a:1,B:2",
    "-cluster": "prod",
    "-state": "/var/lib/n1.state",
    "-tag": "role=web zone=a",
    "-port-of": "web=3000",
    "-dns": "127.0.0.1:5353",
    "-dist": "/srv/gossiper/",
    "-interval": "500ms",
    "-dead-after": "1m",
    "-check": "tcp:a:1",
    "-on-change": "notify.sh,status=dead,name=pager",
    "-tell-after": "30s",
    "-key-file": "/etc/keys",
    "-private": "true",
    "-tls-cert": "cert.pem",
    "-tls-key": "key.pem",
    "-tls-ca": "ca.pem",
    "-name": "Gossip.Example, alias",
    "-allow": "::1/128,0.0.0.0/0",
    "-log": "json",
    "-log-level": "debug",
    "-forget": "24h",
  };
  const expected: Config = {
    id: "n1",
    idGiven: true,
    host: "::1",
    port: 0,
    advertiseHost: "public",
    advertiseDefault: false,
    advertisePort: 80,
    join: ["a:1", "b:2"],
    cluster: "prod",
    state: "/var/lib/n1.state",
    labels: { tags: { role: "web", zone: "a" }, ports: { web: 3_000 } },
    hooks: [readHook("notify.sh,status=dead,name=pager")],
    tellAfterMs: 30_000,
    dns: { host: "127.0.0.1", port: 5_353 },
    dist: "/srv/gossiper",
    intervalMs: 500,
    deadAfterMs: 60_000,
    checks: [readCheck("tcp:a:1")],
    command: undefined,
    forgetMs: 86_400_000,
    stretchMembers: Infinity,
    keyFile: "/etc/keys",
    keyText: undefined,
    private: true,
    tls: { cert: "cert.pem", key: "key.pem", ca: "ca.pem" },
    names: ["gossip.example", "alias"],
    allow: ["::1/128", "0.0.0.0/0"].map((text) => parseNetwork(text)!),
    logFormat: "json",
    logLevel: "debug",
  };
  const args = Object.entries(values).flatMap(([flag, text]) =>
    flag === "-private" ? [flag] : [flag, text]
  );
  assertEquals(configOf(args), expected);
  const env = Object.entries(values).map(([flag, text]) =>
    [`GOSSIPER${flag.replaceAll("-", "_").toUpperCase()}`, text] as const
  );
  assertEquals(configOf([], Object.fromEntries(env)), expected);
});

Deno.test("parseConfig() takes -check several times, and its variable has one per line", () => {
  const checks = ["exec:a,b", "tcp:a:1,name=db"].map(readCheck);
  assertEquals(configOf(["-check", "exec:a,b", "-check=tcp:a:1,name=db"]).checks, checks);
  const variable = " exec:a,b\n\ntcp:a:1,name=db\n";
  assertEquals(configOf([], { GOSSIPER_CHECK: variable }).checks, checks);
});

Deno.test("parseConfig() takes -on-change several times, and its variable has one per line", () => {
  const hooks = ["notify.sh", "https://a.example/,status=left,name=b"].map(readHook);
  assertEquals(
    configOf(
      hooks.flatMap((
        _,
        i,
      ) => ["-on-change", ["notify.sh", "https://a.example/,status=left,name=b"][i]!]),
    ).hooks,
    hooks,
  );
  const variable = "notify.sh\nhttps://a.example/,status=left,name=b\n";
  assertEquals(configOf([], { GOSSIPER_ON_CHANGE: variable }).hooks, hooks);
});

Deno.test("parseConfig() takes no more names of hooks, tags and ports than fit what a node says of itself", () => {
  const hooks = Array.from({ length: 8 }, (_, i) => ["-on-change", `a,name=${"n".repeat(31)}${i}`]);
  const tags = ["-tag", `a=${"x".repeat(60)}`, "-tag", `b=${"x".repeat(60)}`];
  assertEquals(configOf(hooks.flat()).hooks.length, 8);
  assertMatch(
    usageOf([...hooks.flat(), ...tags]),
    /^Cannot use so many -tag and -port-of, and names/,
  );
});

Deno.test("parseConfig() takes what follows a bare -- as the program to run, flags of its own included", () => {
  const { id, command } = configOf(["-id", "n1", "--", "web", "-id", "x", "--", ""]);
  assertEquals([id, command], ["n1", ["web", "-id", "x", "--", ""]]);
  for (const args of [["--"], ["--", ""]]) {
    assertEquals(usageOf(args), "Cannot use -- without a program: give -- PROGRAM ARG...");
  }
  assertEquals(usageOf(["-id", "--", "web"]), "Cannot use -id without a value: give -id ID");
});

Deno.test("-forget takes a duration of ten dead-afters or more; 0 and never forget nobody", () => {
  for (const text of ["0", "never"]) assertEquals(configOf(["-forget", text]).forgetMs, Infinity);
  assertEquals(configOf(["-forget", "50s"]).forgetMs, 50_000);
  assertEquals(
    usageOf(["-forget", "49s"]),
    "Cannot use -forget 49s with -dead-after 5s: give at least 10 times that, -forget 50s, or 0 to forget nobody",
  );
  assertEquals(
    usageOf(["-forget", "9000h"]),
    "Cannot use -forget '9000h': give a duration of at most 8784h, or 0",
  );
});

Deno.test("parseConfig() answers wrong use with one line that says what to do", () => {
  assertEquals(usageOf(["-prot", "80"]), "Unknown flag '-prot': did you mean '-port'?");
  assertEquals(usageOf(["-port", "80a"]), "Cannot use -port '80a': give a number from 0 to 65535");
  assertEquals(
    usageOf(["-join", "a:1,localhost"]),
    "Cannot use -join 'a:1,localhost': 'localhost' is not an address; " +
      "give each as host:port, such as n1:8080 or [::1]:8080, or as srv:_gossiper._tcp.example",
  );
  assertEquals(
    usageOf([], { GOSSIPER_DEAD_AFTER: "5" }),
    "Cannot use GOSSIPER_DEAD_AFTER '5': give a number and one of ms, s, m or h, such as 500ms, 5s or 72h",
  );
  assertEquals(usageOf(["-log", "xml"]), "Cannot use -log 'xml': give text or json");
  assertEquals(
    usageOf(["-log-level", "all"]),
    "Cannot use -log-level 'all': give debug, info, warn or error",
  );
});

Deno.test("parseConfig() takes keys from a file or GOSSIPER_KEY, and wants one for -private", () => {
  assertEquals(configOf([], { GOSSIPER_KEY: "a\nb" }).keyText, "a\nb");
  assertEquals(configOf([], { GOSSIPER_KEY: "" }).keyText, undefined);
  assertEquals(configOf(["-private"], { GOSSIPER_KEY: "a" }).private, true);
  assertEquals(
    usageOf(["-private"]),
    "Cannot use -private without a key: give -key-file or GOSSIPER_KEY",
  );
  assertEquals(
    usageOf(["-key-file", "keys"], { GOSSIPER_KEY: "a" }),
    "Cannot use -key-file with GOSSIPER_KEY: give the keys in one of them",
  );
});

Deno.test("parseConfig() wants certificate and key together, and an authority only with them", () => {
  const message = "Cannot use TLS without both -tls-cert and -tls-key: give both";
  for (const args of ["-tls-cert c", "-tls-key k", "-tls-ca a", "-tls-key k -tls-ca a"]) {
    assertEquals(usageOf(args.split(" ")), message, args);
  }
  assertEquals(configOf("-tls-cert c -tls-key k".split(" ")).tls, {
    cert: "c",
    key: "k",
    ca: undefined,
  });
});

Deno.test("parseConfig() says which item of -allow is not a network, and takes a bounded number", () => {
  assertEquals(
    usageOf(["-allow", "10.0.0.0/8, 10.1"]),
    "Cannot use -allow '10.0.0.0/8, 10.1': '10.1' is not a network; " +
      "give each as 10.0.0.0/8, fd00::/8 or one IP address",
  );
  const many = Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`);
  assertEquals(configOf(["-allow", many.slice(1).join(",")]).allow.length, 64);
  assertEquals(usageOf(["-allow", many.join(",")]).endsWith("give at most 64 networks"), true);
});

Deno.test("parseConfig(): a pace that is given, by flag or environment, is not stretched", () => {
  const stretches = (args: string[], env: Record<string, string> = {}) =>
    configOf(args, env).stretchMembers < Infinity;
  assert(stretches([]));
  assert(stretches(["-forget", "1h"]), "it says nothing of the pace");
  for (const flag of ["-interval=1s", "-dead-after=5s"]) assert(!stretches([flag]), flag);
  assert(!stretches([], { GOSSIPER_INTERVAL: "1s" }));
  assert(!stretches([], { GOSSIPER_DEAD_AFTER: "5s" }));
});

Deno.test("parseConfig() wants dead-after to be at least three intervals", () => {
  assertEquals(configOf(["-interval", "2s", "-dead-after", "6s"]).deadAfterMs, 6_000);
  assertEquals(
    usageOf(["-interval", "1500ms", "-dead-after", "4499ms"]),
    "Cannot use -dead-after 4499ms with -interval 1500ms: " +
      "give at least 3 intervals, -dead-after 4500ms",
  );
  assertEquals(
    usageOf(["-interval", "2s"]),
    "Cannot use -dead-after 5s with -interval 2s: give at least 3 intervals, -dead-after 6s",
  );
});

Deno.test("parseConfig() advertises the one address it listens on, or else the host's name", () => {
  assertEquals(configOf(["-host", "127.0.0.1"]).advertiseHost, "127.0.0.1");
  assertEquals(configOf(["-host", "127.0.0.1", "-advertise", "n1"]).advertiseHost, "n1");
  for (const every of ["0.0.0.0", "::"]) {
    assertEquals(configOf(["-host", every]).advertiseHost, "host1");
  }
});

Deno.test("parseConfig() takes every host's name, and leaves to the start what peers are given in its place", () => {
  for (const hostname of ["my host", "314159265358", "10.0.0.256", "::", ""]) {
    const parsed = parseConfig([], () => undefined, { hostname, randomId: "0123abcd" });
    assert(parsed.kind === "run", hostname);
    assertEquals(parsed.config.advertiseHost, "localhost", hostname);
    assertEquals(parsed.config.advertiseDefault, true, hostname);
  }
});

Deno.test("parseConfig() answers -help and -version, whatever the other values", () => {
  for (const arg of ["-help", "--help", "-h", "-help=true"]) {
    assertEquals(parse(["-port=x", arg]), { kind: "help", text: helpText() });
  }
  assertEquals(parse(["-port=x", "-version"]), { kind: "version" });
  assertEquals(parse(["-version", "-help"]).kind, "help");
  assertEquals(configOf(["-help=false"]), configOf([]));
});

Deno.test("parseConfig() takes no request from the environment", () => {
  assertEquals(configOf([], { GOSSIPER_VERSION: "1.0.0", GOSSIPER_HELP: "true" }), configOf([]));
});

Deno.test("helpText() shows every flag in 100 columns and ends with an example that runs", () => {
  const lines = helpText().split("\n");
  for (const line of lines) assertLessOrEqual(line.length, 100, line);
  for (
    const flag
      of "id port host advertise join interval dead-after key-file private tls-cert tls-key tls-ca allow log log-level help version"
        .split(" ")
  ) {
    assertEquals(lines.filter((line) => line.startsWith(`  -${flag} `)).length, 1, flag);
  }
  for (const byDefault of ["(default 8080)", "(default 1s, ", "(default 5s)"]) {
    assertStringIncludes(helpText(), byDefault);
  }
  const [, example = ""] = /^Example: gossiper (.*)$/.exec(lines.at(-1)!) ?? [];
  assertEquals(parse(example.split(" ")).kind, "run", example);
});
