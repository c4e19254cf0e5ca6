/**
 * The commands as a user runs them: a process that asks a running node, its output, and its exit status.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { eventually, within } from "../support/eventually.ts";
import {
  eventuallyShow,
  get,
  runProgram,
  spawnNode,
  startNode,
  statuses,
} from "../support/nodes.ts";
import { programCommand } from "../support/program.ts";
import { closedAddress } from "../support/raw.ts";
import { Said } from "../support/said.ts";

const KEY = "a-key-of-many-characters";

/** Runs a command at a node; `words` as on the command line. */
function ask(node: { address: string }, words: string, env: Record<string, string> = {}) {
  return runProgram(words.split(" "), { GOSSIPER_AT: node.address, ...env });
}

/** A command that goes on, with the lines it printed so far. */
function follow(node: { address: string }, words: string) {
  const [program, ...args] = programCommand();
  const child = new Deno.Command(program, {
    args: [...args, ...words.split(" ")],
    env: { NO_COLOR: "1", GOSSIPER_AT: node.address },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, stderr] = [new Said(child.stdout), new Said(child.stderr)];
  const drained = Promise.all([stdout.ended, stderr.ended]);
  return {
    stdout,
    stderr,
    child,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await Promise.all([drained, child.status]);
    },
  };
}

/** Runs a command on a terminal of its own, where a person types `typed`; what the terminal shows. */
async function onTerminal(
  node: { address: string },
  words: string,
  { typed = "", when = "[y/N]", env = {}, rows }: {
    typed?: string;
    when?: string;
    env?: Record<string, string>;
    /** The lines that it has; by default it does not say. */
    rows?: number;
  } = {},
) {
  const program = [...programCommand(), ...words.split(" ")].join(" ");
  const command = rows === undefined ? program : `stty rows ${rows} && ${program}`;
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH")!,
      HOME: Deno.env.get("HOME")!,
      GOSSIPER_AT: node.address,
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  let shown = "";
  const shownAll = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      async write(text) {
        shown += text;
        if (typed === "" || !shown.replace("\x1b[2J\x1b[H", "").includes(when)) return;
        await writer.write(new TextEncoder().encode(typed));
        typed = "";
      },
    }),
  );
  try {
    await within(shownAll, () => `the terminal shows ${shown}`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  await writer.close().catch(() => {});
  return { code: (await child.status).code, shown };
}

/** Whether there is util-linux' `script`, which gives a program a terminal. */
const NO_TERMINAL = Deno.build.os !== "linux" ||
  !await Deno.stat("/usr/bin/script").then(() => true, () => false);

Deno.test("members prints the table, and its status is 0 while all are live, 1 once one is dead", async () => {
  await using n1 = startNode("n1");
  await using n2 = await spawnNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  const live = await ask(n1, "members");
  assertEquals([live.code, live.stderr], [0, ""]);
  assertMatch(live.stdout, /^ID +STATUS +HEARD +ADDRESS +WHY\nn1 +live .*\nn2 +live .*\n$/);

  n2.kill("SIGKILL");
  await eventuallyShow([n1], { n1: "live", n2: "dead" });
  const dead = await ask(n1, "members");
  assertEquals([dead.code, dead.stderr], [1, ""]);
  assertMatch(
    dead.stdout,
    /^ID .*\nn2 +dead .* connection refused.*\nn1 +live .*\n$/,
    "trouble first",
  );
  const asked = await ask(n1, "members -status dead,unknown -json");
  assertEquals(asked.code, 1);
  assertEquals(JSON.parse(asked.stdout).members.map(({ id }: { id: string }) => id), ["n2"]);
  assertEquals((await ask(n1, "members -status live")).code, 0);
  assertEquals((await ask(n1, "members -status left")).code, 0, "nobody left");
  assertEquals((await ask(n1, "members -tag role=typo")).code, 1, "nobody has it");
  assertEquals((await ask(n1, "members -tag role=typo -status dead")).code, 0, "none is dead");

  const why = await ask(n1, "why n2");
  assertEquals([why.code, why.stderr], [1, ""]);
  assertMatch(
    why.stdout,
    /^n2 is dead since \d{4}-.* UTC\n {2}why +connection refused, witnessed by n1\n {2}address +127.*\n {2}heard +\d.*\n {2}uptime +live .* % of .* known\n\n.* live +joined: .*\n.* dead +connection refused.*\n$/,
  );
  assertEquals((await ask(n1, "why n1")).code, 0);
  const none = await ask(n1, "why n9");
  assertEquals([none.code, none.stdout], [1, ""]);
  assertEquals(none.stderr, `gossiper: ${n1.address} knows no member n9\n`);
});

Deno.test("members that left or are decommissioned make the status 1 only where they are asked for", async () => {
  await using n1 = startNode("n1");
  await using n2 = startNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1], { n1: "live", n2: "live" });
  await n2.running.leave("test");
  await eventuallyShow([n1], { n1: "live", n2: "left" });
  assertEquals((await ask(n1, "bye n9 -yes -unknown")).code, 0);
  assertEquals((await ask(n1, "members")).code, 0);
  assertEquals((await ask(n1, "members -status left")).code, 1);
  assertEquals((await ask(n1, "members -status live,decommissioned")).code, 1);
  assertEquals((await ask(n1, "why n2")).code, 1);
});

Deno.test("bye decommissions with -yes, and without a terminal it needs that", async () => {
  await using n1 = startNode("n1");
  const refused = await ask(n1, "bye n9");
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertEquals(
    refused.stderr,
    "gossiper: Cannot ask whether to decommission n9, as there is no terminal: give -yes\n",
  );
  assertEquals(await statuses(n1), { n1: "live" });
  const unknown = await ask(n1, "bye n9 -yes");
  assertEquals([unknown.code, unknown.stdout], [1, ""]);
  assertMatch(unknown.stderr, /knows no member n9: give -unknown if you mean it all the same\n$/);
  assertEquals(await statuses(n1), { n1: "live" });
  for (const words of ["bye n9 -yes -unknown", "bye -unknown -yes n8", "bye -yes -unknown -- -x"]) {
    const done = await ask(n1, words);
    assertEquals([done.code, done.stderr], [0, ""], words);
    assertMatch(done.stdout, /^\S+ is decommissioned for good, though it was not known here\n$/);
  }
  assertEquals(await statuses(n1), {
    "-x": "decommissioned",
    n1: "live",
    n8: "decommissioned",
    n9: "decommissioned",
  });
});

Deno.test("on a terminal bye asks back, with what would end", { ignore: NO_TERMINAL }, async () => {
  await using n1 = startNode("n1");
  await using n2 = startNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1], { n1: "live", n2: "live" });
  for (const typed of ["n\n", "\n", "\x04"]) {
    const { code, shown } = await onTerminal(n1, "bye n2", { typed });
    assertEquals(code, 1, shown);
    assertStringIncludes(shown, `n2 is live at ${n2.address}: its process will end`);
    assertStringIncludes(shown, "decommission n2 for good? [y/N]");
    assertStringIncludes(shown, "n2 stays as it is");
  }
  assertEquals(await statuses(n1), { n1: "live", n2: "live" });
  const { code, shown } = await onTerminal(n1, "bye n2", { typed: "y\n" });
  assertEquals(code, 0, shown);
  assertStringIncludes(shown, "n2 is decommissioned for good");
  await eventuallyShow([n1], { n1: "live", n2: "decommissioned" });
});

Deno.test("who cannot read the question or cannot answer it is not asked", {
  ignore: NO_TERMINAL,
}, async () => {
  await using n1 = startNode("n1");
  // stdout is the terminal's in any case.
  for (const words of ["bye n9 </dev/null", "bye n9 2>/dev/null"]) {
    const { code, shown } = await onTerminal(n1, words);
    assertEquals([code, shown.includes("[y/N]")], [2, false], `${words}: ${shown}`);
  }
  assertEquals(await statuses(n1), { n1: "live" });
});

Deno.test("a terminal gets colours unless NO_COLOR is set, and a pipe none", {
  ignore: NO_TERMINAL,
}, async () => {
  await using n1 = startNode("n1");
  assertStringIncludes((await onTerminal(n1, "members")).shown, "n1  \x1b[32mlive\x1b[0m  ");
  const plain = await onTerminal(n1, "members", { env: { NO_COLOR: "1" } });
  const piped = await ask(n1, "members", { NO_COLOR: "" });
  for (const text of [plain.shown, piped.stdout]) {
    assertStringIncludes(text, "n1  live  ");
    assert(!text.includes("\x1b"), text);
  }
});

Deno.test(
  "members -watch draws over the terminal until Ctrl-C",
  { ignore: NO_TERMINAL },
  async () => {
    await using n1 = startNode("n1");
    // The second drawing begins where the first did.
    const { code, shown } = await onTerminal(n1, "members -watch", {
      typed: "\x03",
      when: "\x1b[HID",
    });
    assertEquals(code, 130, shown);
    assertStringIncludes(shown, "\x1b[2J\x1b[HID");
    assertStringIncludes(shown, "\x1b[K\r\nn1  \x1b[32mlive\x1b[0m  ");
    assert(!shown.includes(" more"), shown);
  },
);

Deno.test(
  "members -watch says how many members the terminal has no lines for",
  { ignore: NO_TERMINAL },
  async () => {
    await using n1 = startNode("n1");
    await using _n2 = startNode("n2", `-join ${n1.address}`);
    await using _n3 = startNode("n3", `-join ${n1.address}`);
    await eventuallyShow([n1], { n1: "live", n2: "live", n3: "live" });
    const watching = { typed: "\x03", when: "... and 2 more", rows: 4 };
    const { code, shown } = await onTerminal(n1, "members -watch", watching);
    assertEquals(code, 130, shown);
    assert(shown.includes("n1  ") && !shown.includes("n2  "), shown);
  },
);

Deno.test("events prints one line per change at once, and finds a node that comes back", async () => {
  await using n1 = await spawnNode("n1");
  await using events = follow(n1, "events");
  await eventually(async () => {
    // The command is there once it tells of a change.
    const id = `m${crypto.randomUUID().slice(0, 8)}`;
    await get(n1, `/bye?id=${id}&unknown=yes`);
    assertMatch(events.stdout.text, /^\S+Z m\w+ - decommissioned - decommissioned by /m);
  });
  const join = `-join ${n1.address}`;
  await using _n2 = await spawnNode("n2", join);
  await eventually(() =>
    assertMatch(events.stdout.text, /^\S+Z n2 - live 127\.0\.0\.1:\d+ heard directly$/m)
  );
  n1.kill("SIGKILL");
  await n1.exit();
  await eventually(() => assertStringIncludes(events.stderr.text, `lost ${n1.address}`));
  await using again = await spawnNode("n1", `-port ${n1.address.split(":")[1]}`);
  await eventually(() =>
    assertStringIncludes(events.stderr.text, `${again.address} answers again`)
  );
  await using _n3 = await spawnNode("n3", join);
  await eventually(() => assertMatch(events.stdout.text, /^\S+Z n3 - live \S+ heard directly$/m));
});

Deno.test("members -watch prints the table again at each change, and Ctrl-C ends it", async () => {
  await using n1 = startNode("n1");
  await using watch = follow(n1, "members -watch");
  await eventually(() => assertMatch(watch.stdout.text, /^ID .*\nn1 +live .*\n$/));
  await using _n2 = startNode("n2", `-join ${n1.address}`);
  await eventually(() => assertMatch(watch.stdout.text, /\n\nID .*\nn1 +live .*\nn2 +live .*\n/));
  watch.child.kill("SIGINT");
  const { code } = await within(watch.child.status, () => "it runs on");
  assertEquals(code, 130);
  assertEquals(watch.stderr.text, "");
});

Deno.test("the exit status says how things stand also where nobody reads the answer", async () => {
  // On a busy machine it would be slow, and not among those that are ready.
  await using n1 = startNode("n1", "-dead-after 1m");
  const program = programCommand().join(" ");
  for (const words of ["members", "live", "why n1"]) {
    // The answer comes after the reader is gone.
    const { stderr } = await new Deno.Command("sh", {
      args: ["-c", `{ ${program} ${words}; echo $? >&2; } | true`],
      env: { GOSSIPER_AT: n1.address },
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "0\n", words);
  }
});

Deno.test("a reader that goes away ends a command without a word", async () => {
  await using n1 = startNode("n1");
  const program = programCommand().join(" ");
  for (const words of ["members", "help", "completions bash"]) {
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `${program} ${words} | true; ${program} ${words} | head -1`],
      env: { GOSSIPER_AT: n1.address },
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "", words);
    assert(stdout.length > 0, words);
  }
  const watch = new Deno.Command("sh", {
    args: ["-c", `${program} members -watch -json | head -1`],
    env: { GOSSIPER_AT: n1.address },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = watch.output();
  let ended = false;
  void output.then(() => ended = true);
  // Each change is a line, and the second one finds nobody to read it.
  await eventually(async () => {
    await get(n1, `/bye?id=m${crypto.randomUUID().slice(0, 8)}&unknown=yes`);
    assert(ended);
  });
  assertEquals(new TextDecoder().decode((await output).stderr), "");
});

Deno.test("a wrong call says so in one line with status 2", async () => {
  await using n1 = startNode("n1");
  const wrong = [
    ["membrs", "Unknown command 'membrs': did you mean 'members'?"],
    ["leave", "Unknown command 'leave'. Run 'gossiper help' for the list"],
    ["lvie", "Unknown command 'lvie': did you mean 'live'?"],
    ["members n1", "Cannot use the argument 'n1': give gossiper members [flags]"],
    ["members -status live,sick", "Cannot use -status 'live,sick': give one or more of "],
    ["members -at nowhere", "Cannot use -at 'nowhere': give host:port"],
    ["members -stat dead", "Unknown flag '-stat': did you mean '-status'?"],
    ["members -key-file /nonexistent", "Cannot read -key-file /nonexistent: "],
    ["members -tls-ca /dev/null", "Cannot read -tls-ca /dev/null: is not a regular file"],
    ["why", "Give gossiper why ID"],
    ["why n1 n2", "Cannot use the argument 'n2'"],
    ["why \u001b[2J", "Cannot use '\\u001b[2J': give 1 to 64 of the characters"],
    ["bye a/b", "Cannot use 'a/b': give 1 to 64 of the characters"],
    ["completions tcsh", "Cannot use 'tcsh': give one of bash, zsh, fish"],
  ];
  await Promise.all(wrong.map(async ([words, says]) => {
    const { code, stdout, stderr } = await ask(n1, words!);
    assertEquals([code, stdout], [2, ""], words);
    assertMatch(stderr, /^gossiper: [\x20-\x7e]+\n$/, words);
    assertStringIncludes(stderr, says!);
  }));
});

Deno.test("where nobody answers, or not as a node does, the status is 3", async () => {
  const address = await closedAddress();
  for (const words of ["members", "members -watch", "why n1", "bye n1 -yes", "events"]) {
    const { code, stdout, stderr } = await ask({ address }, words);
    assertEquals([code, stdout], [3, ""], words);
    assertEquals(stderr, `gossiper: no answer from ${address}: connection refused\n`, words);
  }
  await using other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<html>\x1b[2J"),
  );
  const { port } = other.addr;
  const { code, stderr } = await ask({ address: `127.0.0.1:${port}` }, "members");
  assertEquals([code, stderr], [
    3,
    `gossiper: no answer from 127.0.0.1:${port}: it answers something else: no JSON\n`,
  ]);
});

Deno.test("a node with a key takes it from -key-file or the environment; without it the status is 2", async () => {
  await using n1 = await spawnNodeWithKey("-private");
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/keys`, `# of the cluster\n${KEY}\n`);
    const file = `-key-file ${folder}/keys`;
    for (const words of ["members", "why n1", "events", "bye n9 -yes"]) {
      const { code, stdout, stderr } = await ask(n1, words);
      assertEquals([code, stdout], [2, ""], words);
      assertEquals(stderr, `gossiper: ${n1.address}: Give the cluster's key by -key-file\n`, words);
    }
    const former = await ask(n1, "quiet n1 -for 1m", { GOSSIPER_KEY: `not-${KEY}` });
    assertEquals(former.stderr, `gossiper: ${n1.address}: that is not the cluster's key\n`);
    assertEquals((await ask(n1, `members ${file}`)).code, 0);
    assertEquals((await ask(n1, "members", { GOSSIPER_KEY: KEY })).code, 0);
    assertEquals((await ask(n1, "members", { GOSSIPER_KEY_FILE: `${folder}/keys` })).code, 0);
    assertEquals((await ask(n1, "members", { GOSSIPER_KEY: `not-${KEY}` })).code, 2);
    assertEquals((await ask(n1, `bye n9 -yes -unknown ${file}`)).code, 0);
    assertMatch((await ask(n1, `members ${file}`)).stdout, /^n9 +decommissioned /m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function spawnNodeWithKey(flags: string) {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, KEY);
  const node = startNode("n1", `-key-file ${file} ${flags}`);
  return {
    address: node.address,
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

Deno.test("a node with TLS is asked by HTTPS: by -tls-ca, or by a URL", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  await using n1 = startNode("n1", `-tls-cert ${cert} -tls-key ${key} -tls-ca ${authority.ca}`);
  assertEquals((await ask(n1, `members -tls-ca ${authority.ca}`)).code, 0);
  const url = `https://${n1.address}`;
  assertEquals((await ask(n1, `why n1 -at ${url}/ -tls-ca ${authority.ca}`)).code, 0);
  const untrusted = await ask(n1, `members -at ${url}`);
  assertEquals(untrusted.code, 3);
  assertMatch(untrusted.stderr, /^gossiper: no answer from https:\S+: .*certificate.*\n$/);
  const plain = await ask(n1, "members");
  assertEquals([plain.code, plain.stdout], [3, ""], plain.stderr);
  assertStringIncludes(plain.stderr, "give https://");
  const noPem = await ask(n1, `members -tls-ca ${key}`);
  assertEquals(noPem.code, 2, noPem.stderr);
  assertStringIncludes(noPem.stderr, `Cannot use -tls-ca ${key}: it holds no certificate in PEM`);
  const torn = `${authority.ca}.torn`;
  await Deno.writeTextFile(torn, "-----BEGIN CERTIFICATE-----\nno base64\n");
  const broken = await ask(n1, `members -tls-ca ${torn}`);
  assertEquals(broken.code, 2, broken.stderr);
  assertStringIncludes(broken.stderr, `Cannot use -tls-ca ${torn}: `);
});

Deno.test("a node behind a proxy is asked by the proxy's URL, with its path", async () => {
  await using n1 = startNode("n1");
  const paths: string[] = [];
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      paths.push(request.method + " " + pathname + search);
      const [, path] = /^\/ops\/gossiper(\/.*)$/.exec(pathname) ?? [];
      if (path === undefined) return Response.redirect("http://127.0.0.1:1/");
      const { method } = request;
      return await fetch(`http://${n1.address}${path}${search}`, { method });
    },
  );
  const origin = `http://127.0.0.1:${proxy.addr.port}`;
  for (const prefix of ["/ops/gossiper", "/ops/gossiper/"]) {
    assertEquals((await ask(n1, `members -status live -at ${origin}${prefix}`)).code, 0);
  }
  assertEquals((await ask(n1, `bye n9 -yes -unknown -at ${origin}/ops/gossiper`)).code, 0);
  assertEquals(paths, [
    ...new Array(2).fill("GET /ops/gossiper/members?status=live"),
    "POST /ops/gossiper/bye?id=n9&unknown=yes",
    // To how many it is known.
    "GET /ops/gossiper/members?id=n9",
  ]);
  const elsewhere = await ask(n1, `members -at ${origin}`, { GOSSIPER_KEY: KEY });
  assertEquals(elsewhere.code, 3);
  assertStringIncludes(elsewhere.stderr, "status 302");
});

Deno.test("help, and -help after a command, answer on stdout with status 0", async () => {
  const node = await runProgram(["-help"]);
  for (const words of ["help", "help -help"]) {
    assertEquals(await runProgram(words.split(" ")), { code: 0, stdout: node.stdout, stderr: "" });
  }
  for (const command of ["members", "why", "bye", "events", "completions"]) {
    const { code, stdout, stderr } = await runProgram([command, "-help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: gossiper ${command}`);
    assertStringIncludes(node.stdout, `\n  ${command} `);
  }
});

Deno.test({
  name: "an answer that a full disk does not take is an error, said in a line, and no answer",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using node = startNode("n1");
    const program = programCommand().join(" ");
    const commands = ["live", "live -watch", "members", "members -json", "completions bash"];
    for (const words of [...commands, "-help", "-version"]) {
      const { code, stderr } = await new Deno.Command("sh", {
        args: ["-c", `exec ${program} ${words} > /dev/full`],
        env: { NO_COLOR: "1", GOSSIPER_AT: node.address },
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertMatch(said, /^gossiper: Cannot print: No space left on device.*\n$/, words);
      assertEquals(code, 2, words);
    }
  },
});
