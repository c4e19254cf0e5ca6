/**
 * The files of .deploy/, each by its own tool where this machine has it, and all against the program: their flags parse,
 * their paths are routes, their metrics are told.
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "../../lib/config/config.ts";
import { startNode } from "../support/nodes.ts";
import { sourcePaths } from "../support/sources.ts";

const DEPLOY = new URL("../../.deploy/", import.meta.url);
const ALERTS_TEST = new URL("alerts_test.yml", import.meta.url);

const path = (name: string) => new URL(name, DEPLOY).pathname;
const read = (name: string) => Deno.readTextFile(new URL(name, DEPLOY));

const decoder = new TextDecoder();

/** Runs a tool to its end: its status, and all that it said. */
async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    stdin: "null",
  }).output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Whether a tool is here. A test that needs a missing one shows as ignored, under a name that says which. */
async function has(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await run(program, args)).code === 0;
  } catch {
    return false;
  }
}

const tools = {
  systemdAnalyze: await has("systemd-analyze", "--version"),
  promtool: await has("promtool", "--version"),
  kubectl: await has("kubectl", "version", "--client"),
  bash: await has("bash", "--version"),
  haproxy: await has("haproxy", "-v"),
};

/** Fails unless the program would run with these arguments. */
function assertRuns(args: readonly string[]): void {
  const parsed = parseConfig(args, () => undefined, { hostname: "host1", randomId: "0123abcd" });
  assertEquals(parsed.kind, "run", JSON.stringify(parsed));
}

/** What OPERATIONS.md has people write beside the unit. */
async function readDropIn(): Promise<string> {
  const [, text = ""] = /```ini\n(\[Service\]\n[\s\S]*?)```/.exec(
    await read("../.github/OPERATIONS.md"),
  ) ?? [];
  return text;
}

Deno.test("gossiper.service, and what is written beside it, start the program with flags that it has", async () => {
  for (const unit of [await read("gossiper.service"), await readDropIn()]) {
    const [, line = ""] = /^ExecStart=\/usr\/local\/bin\/gossiper (.*)$/m.exec(unit) ?? [];
    assert(line !== "", unit);
    assertRuns(
      line.replace("%S", "/var/lib").replace("%d", "/run/keys").replace("%H", "n1").split(" "),
    );
  }
});

Deno.test({
  name: "gossiper.service passes systemd-analyze verify, and so does what is written beside it",
  ignore: !tools.systemdAnalyze,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // The tool wants the program to be there.
      const here = (unit: string) => unit.replace("/usr/local/bin/gossiper", Deno.execPath());
      await Deno.mkdir(`${folder}/gossiper.service.d`);
      await Deno.writeTextFile(
        `${folder}/gossiper.service.d/override.conf`,
        here(await readDropIn()),
      );
      await Deno.writeTextFile(`${folder}/gossiper.service`, here(await read("gossiper.service")));
      const { code, stderr } = await run("systemd-analyze", [
        "verify",
        `${folder}/gossiper.service`,
      ]);
      // An unknown key is a warning to it.
      assertEquals([code, stderr], [0, ""]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

interface Container {
  readonly name: string;
  readonly args: string[];
  readonly env: { name: string }[];
  readonly livenessProbe: { httpGet: { path: string; port: string } };
  readonly readinessProbe: { httpGet: { path: string; port: string } };
  readonly ports: { name: string; containerPort: number }[];
}

async function readManifest() {
  const documents = parseAllDocuments(await read("kubernetes.yaml")).map((document) => {
    assertEquals([...document.errors, ...document.warnings], []);
    return document.toJS();
  });
  const [service, set] = documents;
  assertEquals(documents.map(({ kind }) => kind), ["Service", "StatefulSet"]);
  const [container] = set.spec.template.spec.containers as Container[];
  assert(container !== undefined);
  return { service, set, container, documents };
}

Deno.test("kubernetes.yaml starts the program with flags that it has", async () => {
  const { container } = await readManifest();
  const values: Record<string, string> = { POD: "p-0", POD_IP: "10.0.0.1", NAMESPACE: "shop" };
  assertRuns(container.args.map((arg) =>
    arg.replace(/\$\((\w+)\)/g, (_, name) => {
      assert(container.env.some((variable) => variable.name === name), `$(${name}) is not set`);
      return values[name] ?? "";
    })
  ));
});

Deno.test("kubernetes.yaml keeps clusters of two namespaces apart, and probes routes that need no key", async () => {
  const { service, set, container } = await readManifest();
  assert(container.args.includes("-cluster=$(NAMESPACE)"), container.args.join(" "));
  assertEquals(container.livenessProbe.httpGet, { path: "/healthz", port: "gossiper" });
  assertEquals(container.readinessProbe.httpGet, { path: "/readyz", port: "gossiper" });
  assertEquals(container.ports, [{ name: "gossiper", containerPort: 8080 }]);
  assertEquals(service.spec.ports, [{ name: "gossiper", port: 8080 }]);
  assertEquals(service.spec.selector, set.spec.template.metadata.labels);
  assertEquals(set.spec.serviceName, service.metadata.name);
  assertEquals(set.spec.template.spec.enableServiceLinks, false, "it would set GOSSIPER_PORT");
});

/** Fails for a field of `source` that `known` has lost: kubectl drops what Kubernetes has no such field for. */
function assertKept(source: unknown, known: unknown, at: string): void {
  if (typeof source !== "object" || source === null) return assertEquals(known, source, at);
  for (const [key, value] of Object.entries(source)) {
    assertKept(value, (known as Record<string, unknown> | undefined)?.[key], `${at}.${key}`);
  }
}

Deno.test({
  name: "kubernetes.yaml has only fields that kubectl knows",
  ignore: !tools.kubectl,
  async fn() {
    const { documents } = await readManifest();
    // Changes that need no cluster: to make one, kubectl reads the object by its type.
    const verbs: Record<string, string[]> = {
      Service: ["set", "selector", "app=gossiper"],
      StatefulSet: ["set", "env", "MORE=1"],
    };
    const file = await Deno.makeTempFile({ suffix: ".json" });
    const readBack = async (document: { kind: string }) => {
      await Deno.writeTextFile(file, JSON.stringify(document));
      const [verb = "", what = "", ...args] = verbs[document.kind]!;
      const local = ["--local", "-o", "json", "-f", file];
      const { code, stdout, stderr } = await run("kubectl", [verb, what, ...local, ...args], {
        KUBECONFIG: "/dev/null",
      });
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout);
    };
    try {
      for (const document of documents) {
        assertKept(document, await readBack(document), document.kind);
        // It must be able to fail.
        const wrong = { ...document, spec: { ...document.spec, noSuchField: 1 } };
        assertEquals((await readBack(wrong)).spec.noSuchField, undefined);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

// No linter of Dockerfiles is a package here, and docker itself needs its daemon to check one.
Deno.test("Dockerfile takes the binary that compile makes, and flags that the program has", async () => {
  const text = await read("Dockerfile");
  const [, copied = ""] = /^COPY dist\/(\S+) \/usr\/local\/bin\/gossiper$/m.exec(text) ?? [];
  const compile = await Deno.readTextFile(new URL("../../.build/compile.ts", import.meta.url));
  assert(compile.includes(`"${copied.replace("gossiper-", "")}"`), copied);
  const [, entry = ""] = /^ENTRYPOINT (.*)$/m.exec(text) ?? [];
  const [program, ...args] = JSON.parse(entry) as string[];
  assertEquals(program, "gossiper");
  assertRuns(args);
});

Deno.test({
  name: "Dockerfile's HEALTHCHECK passes a node that is well, and fails one that is not, in bash",
  ignore: !tools.bash,
  async fn() {
    const text = await read("Dockerfile");
    assertMatch(text, /^SHELL \["\/bin\/bash", "-c"\]$/m);
    const [, check = ""] = /^HEALTHCHECK .*CMD \\\n(.*)$/m.exec(text) ?? [];
    const codeAt = async (port: number) =>
      (await run("bash", ["-c", check], { GOSSIPER_PORT: String(port) })).code;
    {
      await using node = startNode("n1");
      assertEquals(await codeAt(node.running.port), 0);
    }
    await using sick = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      ({ url }) => new Response("late", { status: url.endsWith("/healthz") ? 503 : 200 }),
    );
    assertNotEquals(await codeAt(sick.addr.port), 0);
    const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    closed.close();
    assertNotEquals(await codeAt((closed.addr as Deno.NetAddr).port), 0);
  },
});

/** Names of all series that `GET /metrics` can have. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const file of await sourcePaths()) {
    if (!file.pathname.includes("/lib/report/")) continue;
    const source = await Deno.readTextFile(file);
    const families = /\b(counter|gauge|histogram)\(\s*"([a-z_]+)"/g;
    for (const [, kind, name = ""] of source.matchAll(families)) {
      if (kind !== "histogram") names.add(name);
      else for (const end of ["_bucket", "_sum", "_count"]) names.add(name + end);
    }
  }
  // Prometheus' own, of each scrape.
  return names.add("up");
}

/** The series that the expressions read and no node tells. */
async function findUntold(expressions: readonly string[]): Promise<string[]> {
  const told = await seriesNames();
  const untold = new Set<string>();
  for (const expression of expressions) {
    const read = expression.match(/\b(?:gossiper|process|up)(?:_[a-z_]+)?\b/g) ?? [];
    assert(read.length > 0, expression);
    for (const name of read) if (!told.has(name)) untold.add(name);
  }
  return [...untold];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

async function readRules(): Promise<Rule[]> {
  return parse(await read("alerts.yml")).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets: { expr: string }[];
}

async function readPanels(): Promise<Panel[]> {
  return JSON.parse(await read("grafana.json")).panels;
}

Deno.test("alerts.yml and grafana.json read only what nodes tell", async () => {
  assertEquals(await findUntold((await readRules()).map(({ expr }) => expr)), []);
  const expressions = (await readPanels()).flatMap(({ targets }) =>
    targets.map(({ expr }) => expr)
  );
  assertEquals(await findUntold(expressions), []);
});

Deno.test("grafana.json shows one cluster at a time, by the label that prometheus.yml gives", async () => {
  const { scrape_configs: [job] } = parse(await read("prometheus.yml"));
  const [{ target_label: label }] = job.relabel_configs;
  const { templating, panels } = JSON.parse(await read("grafana.json"));
  const { query } = templating.list.find(({ name }: { name: string }) => name === label) ?? {};
  assertEquals(query?.query, `label_values(gossiper_members{job="$job"}, ${label})`);
  for (const { expr } of (panels as Panel[]).flatMap(({ targets }) => targets)) {
    for (const [, labels = ""] of expr.matchAll(/\b(?:gossiper|process|up)[a-z_]*(\{[^}]*)?/g)) {
      assert(labels.startsWith(`{job="$job", ${label}="$${label}"`), expr);
    }
  }
});

Deno.test("grafana.json has panels of different IDs and titles that do not overlap", async () => {
  const panels = await readPanels();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  assertEquals(new Set(panels.map(({ title }) => title)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        assert(i < 24 && !taken.has(`${i},${j}`), `${title} lies on ${taken.get(`${i},${j}`)}`);
        taken.set(`${i},${j}`, title);
      }
    }
  }
});

Deno.test("prometheus.yml finds its targets at a node, and takes alerts.yml", async () => {
  const config = parse(await read("prometheus.yml"));
  assertEquals(config.rule_files, ["alerts.yml"]);
  const [job] = config.scrape_configs;
  for (const { url } of job.http_sd_configs) assertEquals(new URL(url).pathname, "/sd");
});

Deno.test("each rule of alerts.yml is tried in alerts_test.yml", async () => {
  const tried = await Deno.readTextFile(ALERTS_TEST);
  for (const { alert } of await readRules()) assert(tried.includes(`alertname: ${alert}`), alert);
});

Deno.test("prometheus.yml has the rules looked at as often as their tests do", async () => {
  const { global } = parse(await read("prometheus.yml"));
  const tests = parse(await Deno.readTextFile(ALERTS_TEST));
  assertEquals(global.evaluation_interval, tests.evaluation_interval);
});

Deno.test({
  name: "prometheus.yml and alerts.yml pass promtool, and each rule fires when it should",
  ignore: !tools.promtool,
  async fn() {
    for (
      const args of [
        ["check", "config", path("prometheus.yml")],
        ["check", "rules", path("alerts.yml")],
        ["test", "rules", ALERTS_TEST.pathname],
      ]
    ) {
      const { code, stdout, stderr } = await run("promtool", args);
      assertEquals(code, 0, stdout + stderr);
    }
  },
});

Deno.test({
  name: "grafana.json asks in expressions that promtool can read",
  ignore: !tools.promtool,
  async fn() {
    const expressions = (await readPanels()).flatMap(({ targets }) =>
      targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m"))
    );
    const rules = expressions.map((expr, i) => ({ record: `gossiper:panel_${i}`, expr }));
    const file = await Deno.makeTempFile({ suffix: ".yml" });
    try {
      // JSON is YAML.
      await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
      const { code, stdout, stderr } = await run("promtool", ["check", "rules", file]);
      assertEquals(code, 0, stdout + stderr);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: "haproxy.cfg leads from /gossiper to /gossiper/, with the query if there is one",
  ignore: !tools.haproxy,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const socket = `${folder}/socket`;
      const config = (await read("haproxy.cfg"))
        .replace("bind :80", `bind unix@${socket}`)
        .replace(/^ *bind :443 .*$/m, "");
      await Deno.writeTextFile(`${folder}/haproxy.cfg`, config);
      // With -D it returns once it listens.
      const { code, stderr } = await run("haproxy", [
        ...["-D", "-q", "-p", `${folder}/pid`, "-f", `${folder}/haproxy.cfg`],
      ]);
      assertEquals(code, 0, stderr);
      const leadsTo = async (target: string) => {
        using connection = await Deno.connect({ transport: "unix", path: socket });
        const request = `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
        await connection.write(new TextEncoder().encode(request));
        const answer = await new Response(connection.readable).text();
        return /^location: (.*)\r$/mi.exec(answer)?.[1];
      };
      try {
        assertEquals(await leadsTo("/gossiper"), "/gossiper/");
        assertEquals(await leadsTo("/gossiper?span=24h&q=a%20b"), "/gossiper/?span=24h&q=a%20b");
      } finally {
        Deno.kill(Number(await Deno.readTextFile(`${folder}/pid`)), "SIGTERM");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("upstream.sh writes each list of servers for nginx, reloads it, and fails once there is no other to come", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lists = ["10.0.0.1:3000", "10.0.0.1:3000 10.0.0.2:3000", ""];
    const scripts = {
      gossiper: `echo "$@" > ${folder}/asked\nprintf '${lists.join("\\n")}\\n'`,
      // What nginx would read at each reload.
      nginx: `cat ${folder}/web.conf >> ${folder}/read`,
    };
    for (const [name, script] of Object.entries(scripts)) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const { code, stderr } = await new Deno.Command(path("upstream.sh"), {
      args: ["web", `${folder}/web.conf`],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
    }).output();
    // What it follows ended, so that it has to be started again.
    assertEquals(code, 1, new TextDecoder().decode(stderr));
    assertEquals(
      await Deno.readTextFile(`${folder}/asked`),
      "live -tag role=web -port web -watch\n",
    );
    const upstream = (...servers: string[]) =>
      `upstream web {\n${servers.map((server) => `  server ${server};\n`).join("")}}\n`;
    assertEquals(
      await Deno.readTextFile(`${folder}/read`),
      upstream("10.0.0.1:3000") + upstream("10.0.0.1:3000", "10.0.0.2:3000") +
        upstream("127.0.0.1:9 down"),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("upstream.sh puts the old list back where nginx refuses the new one: with that it could not start again", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // One that does not run takes no list either, but will find this one at its start. It reads what `ls` shows.
    const lists = `${folder}/lists`;
    await Deno.mkdir(lists);
    const nginx = `[ "$(ls ${lists})" = web.conf ] && ! grep -q nowhere ${lists}/* || exit 1
[ "$1" = -t ] || ! [ -e ${folder}/down ]`;
    const scripts = { gossiper: `cat ${folder}/live`, nginx };
    for (const [name, script] of Object.entries(scripts)) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const file = `${lists}/web.conf`;
    const write = async (server: string) => {
      await Deno.writeTextFile(`${folder}/live`, `${server}\n`);
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, GOSSIPER_HOOK: "web" };
      const { code, stderr } = await run(path("upstream.sh"), ["web", file], env);
      return { code, stderr, list: await Deno.readTextFile(file) };
    };
    const list = (server: string) => `upstream web {\n  server ${server};\n}\n`;
    assertEquals(await write("n1:3000"), { code: 0, stderr: "", list: list("n1:3000") });
    assertEquals(await write("nowhere:3000"), {
      code: 1,
      stderr: "upstream.sh: nginx refuses the new list: the old one stays\n",
      list: list("n1:3000"),
    });
    assertEquals(await write("n3:3000"), { code: 0, stderr: "", list: list("n3:3000") });
    assertEquals(Array.from(Deno.readDirSync(lists), ({ name }) => name), ["web.conf"]);
    await Deno.writeTextFile(`${folder}/down`, "");
    assertEquals(await write("n2:3000"), {
      code: 1,
      stderr: "upstream.sh: nginx takes no new list\n",
      list: list("n2:3000"),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "upstream.sh keeps the old list where the disk is full, says so, and goes on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const scripts = {
        gossiper: "echo 10.0.0.1:3000\necho 10.0.0.2:3000",
        nginx: `echo reload >> ${folder}/reloads`,
      };
      for (const [name, script] of Object.entries(scripts)) {
        await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      }
      const file = `${folder}/web.conf`;
      await Deno.writeTextFile(file, "the old list");
      await Deno.symlink("/dev/full", `${file}.new`);
      const PATH = `${folder}:${Deno.env.get("PATH")}`;
      for (const [env, times] of [[{ PATH }, 2], [{ PATH, GOSSIPER_HOOK: "web" }, 1]] as const) {
        const { code, stderr } = await run(path("upstream.sh"), ["web", file], env);
        // A link means that what is full took the place of the list.
        assert((await Deno.lstat(file)).isFile);
        assertEquals(await Deno.readTextFile(file), "the old list");
        const said = `upstream.sh: cannot write ${file}: the old list stays\n`;
        assertEquals(stderr.split(said).length - 1, times, stderr);
        // As a hook it failed; beside nginx it waits for the next list, until what it follows ends.
        assertEquals(code, 1);
      }
      assertEquals(await has("test", "-e", `${folder}/reloads`), false);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
