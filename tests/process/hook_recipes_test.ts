/** The recipes of OPERATIONS.md, with the very files of .deploy/: each against the real thing where that is here. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, get, type NodeProcess, runProgram, spawnNode } from "../support/nodes.ts";
import { readExposition, value } from "../support/exposition.ts";
import { programCommand } from "../support/program.ts";
import { closedAddress } from "../support/raw.ts";

const DEPLOY = new URL("../../.deploy/", import.meta.url).pathname;
const OPERATIONS = new URL("../../.github/OPERATIONS.md", import.meta.url);

async function has(program: string, flag: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: [flag] }).output()).success;
  } catch {
    return false;
  }
}

/** A folder with programs, in front of all others where `run` is called in it. */
class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async create(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "hook" }));
  }

  /** Writes a program that finds the others of the folder first; its path. */
  async add(name: string, script: string): Promise<string> {
    const path = `${this.path}/${name}`;
    const text = `#!/bin/sh\nPATH=${this.path}:$PATH\n${script}\n`;
    await Deno.writeTextFile(path, text, { mode: 0o755 });
    return path;
  }

  /** What a file holds; empty if it is not there. */
  async read(name: string): Promise<string> {
    return await Deno.readTextFile(`${this.path}/${name}`).catch(() => "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A server that records what it gets. */
function recorder(answer: () => Response = () => new Response()) {
  const got: { url: URL; body: string }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      got.push({ url: new URL(request.url), body: await request.text() });
      return answer();
    },
  );
  return { got, server, at: `http://127.0.0.1:${server.addr.port}` };
}

/** Waits until a node that was just started tells: see hooks_test.ts. */
async function settle(node: NodeProcess): Promise<void> {
  const rounds = async () =>
    value(readExposition(await get(node, "/metrics")), "gossiper_rounds_total");
  const seen = await rounds();
  await eventually(async () => assert(await rounds() >= seen + 20));
}

Deno.test("chats: Slack's field holds the sentence, and ntfy's template finds it", async () => {
  const { got, server, at } = recorder();
  await using _server = server;
  const document = await Deno.readTextFile(OPERATIONS);
  const [, ntfy = ""] = /'https:\/\/ntfy\.sh(\/[^,']+),name=ntfy'/.exec(document) ?? [];
  const [, slack = ""] = /'https:\/\/hooks\.slack\.com(\/[^,']+),name=slack'/.exec(document) ?? [];
  assert(ntfy !== "" && slack !== "", "OPERATIONS.md has no such recipes");
  await using node = await spawnNode(
    "n1",
    `-on-change ${at}${ntfy},name=ntfy -on-change ${at}${slack},name=slack`,
  );
  for (const name of ["ntfy", "slack"]) {
    const { code, stderr } = await runProgram(["hook", "test", name, "-at", node.address]);
    assertEquals(code, 0, stderr);
  }
  const [toNtfy, toSlack] = got as [typeof got[0], typeof got[0]];
  const { text } = JSON.parse(toSlack.body);
  assertMatch(text, /^test: gossiper-test is dead/);
  // Go's template, as ntfy fills it in from the body.
  const template = toNtfy.url.searchParams.get("m")!;
  assertEquals(toNtfy.url.searchParams.get("tpl"), "1");
  const shown = template.replace(/\{\{\.(\w+)\}\}/g, (_, name) => JSON.parse(toNtfy.body)[name]);
  assertEquals(shown, text);
});

Deno.test("restart.sh restarts over ssh what is in trouble, once, and what is live again not at all", async () => {
  await using folder = await Folder.create();
  await folder.add(
    "ssh",
    `printf '%s|' "$@" >> ${folder.path}/asked; echo >> ${folder.path}/asked`,
  );
  const hook = await folder.add("hook", `${DEPLOY}hooks/restart.sh web.service`);
  await using node = await spawnNode("n1", `-on-change ${hook},tag=role=web,name=restart`);
  await settle(node);
  const web = await spawnNode("web1", `-join ${node.address} -tag role=web`);
  await eventuallyShow([node], { n1: "live", web1: "live" });
  web.kill("SIGKILL");
  await web.exit();
  const host = "-o|BatchMode=yes|-o|ConnectTimeout=5|--|127.0.0.1";
  const asked = `${host}|sudo systemctl restart 'web.service'|\n`;
  await eventually(async () => assertEquals(await folder.read("asked"), asked));
  await using _back = await spawnNode("web1", `-join ${node.address} -tag role=web`);
  await eventually(async () => {
    const { told } = JSON.parse(await get(node, "/members/web1"));
    assertEquals(told.at(-1)?.to, "live", node.lines.join("\n"));
  });
  assertEquals(await folder.read("asked"), asked);
});

Deno.test("restart.sh takes no member's words for an option, and does nothing in a test", async () => {
  await using folder = await Folder.create();
  await folder.add("ssh", `printf '%s|' "$@" >> ${folder.path}/asked; [ "$6" != bad ]`);
  const run = async (variables: Record<string, string>) => {
    const { code } = await new Deno.Command(`${DEPLOY}hooks/restart.sh`, {
      args: ["web.service"],
      env: { PATH: `${folder.path}:${Deno.env.get("PATH")}`, ...variables },
    }).output();
    const asked = await folder.read("asked");
    await Deno.writeTextFile(`${folder.path}/asked`, "");
    return { code, hosts: [...asked.matchAll(/\|--\|([^|]*)\|/g)].map(([, host]) => host).sort() };
  };
  const sly = {
    GOSSIPER_TO: "dead dead live",
    GOSSIPER_ADDRESS: "-oProxyCommand=x:1 [::1]:80 c:1",
  };
  assertEquals(await run(sly), { code: 0, hosts: ["-oProxyCommand=x", "::1"] });
  assertEquals(await run({ ...sly, GOSSIPER_TEST: "1" }), { code: 0, hosts: [] });
  // One that cannot be reached keeps it from no other, and the hook is tried again.
  const partly = await run({ GOSSIPER_TO: "dead dead", GOSSIPER_ADDRESS: "bad:1 good:1" });
  assertEquals(partly, { code: 1, hosts: ["bad", "good"] });
});

Deno.test({
  name: "restart.sh reaches each host though one before it does not answer",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await Folder.create();
    const pipe = `${folder.path}/pipe`;
    assert((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    // The first ends once the second was called; were they called in turn, it would be given up.
    await folder.add(
      "ssh",
      `if [ "$6" = off ]; then exec timeout 5 cat ${pipe}; fi; exec timeout 5 tee ${pipe}`,
    );
    const { code } = await new Deno.Command(`${DEPLOY}hooks/restart.sh`, {
      args: ["web.service"],
      env: {
        PATH: `${folder.path}:${Deno.env.get("PATH")}`,
        GOSSIPER_TO: "dead dead",
        GOSSIPER_ADDRESS: "off:1 on:1",
      },
    }).output();
    assertEquals(code, 0);
  },
});

const hasJq = await has("jq", "--version") && await has("curl", "--version");
Deno.test({
  name: `alertmanager.sh begins an alert and ends it${hasJq ? "" : " (no curl or no jq here)"}`,
  ignore: !hasJq,
  async fn() {
    const { got, server, at } = recorder();
    await using _server = server;
    await using folder = await Folder.create();
    const script = `${DEPLOY}hooks/alertmanager.sh`;
    const hook = await folder.add("hook", `${script} ${at}`);
    // As its first lines have it, and the document.
    const [, options = ""] = /:9093,(status=.*)'$/m.exec(await Deno.readTextFile(script)) ?? [];
    assert((await Deno.readTextFile(OPERATIONS)).includes(`:9093,${options}'`), options);
    await using node = await spawnNode("n1", `-on-change ${hook},${options}`);
    await settle(node);
    const gone = await spawnNode("n2", `-join ${node.address}`);
    await eventuallyShow([node], { n1: "live", n2: "live" });
    gone.kill("SIGKILL");
    await gone.exit();
    await eventually(() => assertEquals(got.length, 1, node.lines.join("\n")));
    await using back = await spawnNode("n2", `-join ${node.address}`);
    await eventually(() => assertEquals(got.length, 2, node.lines.join("\n")));
    assertEquals(got.map(({ url }) => url.pathname), ["/api/v2/alerts", "/api/v2/alerts"]);
    const [[dead], [live]] = got.map(({ body }) => JSON.parse(body)) as [[Alert], [Alert]];
    assertEquals(dead.labels, { alertname: "GossiperMember", cluster: "default", id: "n2" });
    assertMatch(dead.annotations.summary, /^n2 is dead: /);
    assert(Date.parse(dead.endsAt) > Date.parse(dead.startsAt) + 6 * 24 * 3_600_000);
    // The same labels: it is the same alert.
    assertEquals(live.labels, dead.labels);
    assertEquals(live.endsAt, live.startsAt);
    // Who is dead and then decommissioned does not come back.
    back.kill("SIGKILL");
    await back.exit();
    await eventually(() => assertEquals(got.length, 3, node.lines.join("\n")));
    await get(node, "/bye?id=n2");
    await eventually(() => assertEquals(got.length, 4, node.lines.join("\n")));
    const [done] = JSON.parse(got[3]!.body) as [Alert];
    assertMatch(done.annotations.summary, /^n2 is decommissioned/);
    assertEquals([done.labels, done.endsAt], [dead.labels, done.startsAt]);
  },
});

interface Alert {
  readonly labels: Record<string, string>;
  readonly annotations: { summary: string };
  readonly startsAt: string;
  readonly endsAt: string;
}

Deno.test({
  name:
    `Prometheus' Watchdog, as the document checks for it: a pipeline of alerts that stops is told${
      hasJq ? "" : " (no curl here)"
    }`,
  ignore: !hasJq,
  async fn() {
    let alerts = '[{"labels":{"alertname":"Watchdog"}}]';
    const alertmanager = recorder(() => new Response(alerts));
    await using _alertmanager = alertmanager.server;
    const pager = recorder();
    await using _pager = pager.server;
    const document = await Deno.readTextFile(OPERATIONS);
    const [, command = ""] =
      /-check 'exec:(.*Watchdog.*),every=30s,name=prometheus'/.exec(document) ?? [];
    assert(command.includes("http://localhost:9093/"), "OPERATIONS.md has no such recipe");
    await using folder = await Folder.create();
    const check = await folder.add(
      "check",
      command.replace("http://localhost:9093", alertmanager.at),
    );
    await using node = await spawnNode(
      "mon1",
      `-check exec:${check},every=1s,name=prometheus -on-change ${pager.at}/,name=pager`,
    );
    await eventually(async () => {
      const [{ remark }] = JSON.parse(await get(node, "/members")).members;
      assertEquals(remark, null, "not checked yet");
    });
    await settle(node);
    assertEquals(pager.got, []);
    assertMatch(alertmanager.got[0]!.url.search, /^\?filter=alertname/);
    alerts = "[]";
    await eventually(() => assertEquals(pager.got.length, 1, node.lines.join("\n")));
    const { text } = JSON.parse(pager.got[0]!.body);
    assertEquals(text, "mon1 is failing: prometheus: exited with 1: no Watchdog");
  },
});

/** Where nginx is: as packages have it, it is for root. */
const NGINX = [
  "/usr/sbin/nginx",
  "/usr/local/sbin/nginx",
  "/usr/local/bin/nginx",
  "/usr/bin/nginx",
];
const installed = await Promise.all(NGINX.map((path) => has(path, "-v")));
const nginxPath = NGINX[installed.indexOf(true)];
Deno.test({
  name: `upstream.sh as a hook: nginx' servers follow who is live${
    nginxPath ? "" : " (no nginx here)"
  }`,
  ignore: nginxPath === undefined,
  async fn() {
    await using folder = await Folder.create();
    const port = closedAddress().split(":")[1];
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    await Deno.writeTextFile(
      `${folder.path}/web.conf`,
      "upstream web { server 127.0.0.1:9 down; }\n",
    );
    await Deno.writeTextFile(
      `${folder.path}/main.conf`,
      `
      daemon off;
      pid ${folder.path}/pid;
      events {}
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${folder.path}/${name};`).join("\n")}
        include ${folder.path}/web.conf;
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass http://web; }
        }
      }
    `,
    );
    const nginxArgs = `-p ${folder.path} -c ${folder.path}/main.conf -e ${folder.path}/log`;
    await folder.add("nginx", `exec ${nginxPath} ${nginxArgs} "$@"`);
    await folder.add("gossiper", `exec ${programCommand().join(" ")} "$@"`);
    const nginx = new Deno.Command(`${folder.path}/nginx`, { stdout: "null", stderr: "null" })
      .spawn();
    const backends = ["a", "b"].map((name) =>
      Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(name))
    );
    try {
      // Before it listens its address is not known, so the hook asks at one that it reads from a file.
      const script = `${DEPLOY}upstream.sh web ${folder.path}/web.conf "$(cat ${folder.path}/at)"`;
      const hook = await folder.add("hook", script);
      const statuses = "status=dead,unresponsive,failing,left,decommissioned,live";
      await using lb = await spawnNode(
        "lb1",
        `-on-change ${hook},tag=role=web,${statuses},name=nginx-lb1`,
      );
      await Deno.writeTextFile(`${folder.path}/at`, lb.address);
      await settle(lb);
      const answers = async () => {
        const seen = new Set<string>();
        for (let i = 0; i < 8; i++) {
          const response = await fetch(`http://127.0.0.1:${port}/`);
          seen.add(
            response.ok ? await response.text() : `${(await response.text(), response.status)}`,
          );
        }
        return [...seen].sort();
      };
      await eventually(async () => assertEquals(await answers(), ["502"]));
      const members: NodeProcess[] = [];
      for (const [i, { addr }] of backends.entries()) {
        const flags = `-join ${lb.address} -tag role=web -port-of web=${addr.port}`;
        members.push(await spawnNode(`web${i + 1}`, flags));
      }
      const told = () => `${lb.lines.join("\n")}`;
      await eventually(async () => assertEquals(await answers(), ["a", "b"], told()));
      members[0]!.kill("SIGKILL");
      await members[0]!.exit();
      await eventually(async () => assertEquals(await answers(), ["b"], told()));
      members[1]!.kill("SIGTERM");
      await members[1]!.exit();
      await eventually(async () => assertEquals(await answers(), ["502"], told()));
    } finally {
      nginx.kill("SIGTERM");
      await nginx.status;
      for (const backend of backends) await backend.shutdown();
    }
  },
});
