/** A node with a program of its own, after `--`, and with checks: whole processes, as a user starts them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually, within } from "../support/eventually.ts";
import {
  eventuallyLogs,
  eventuallyShow,
  get,
  type NodeProcess,
  runProgram,
  spawnNode,
} from "../support/nodes.ts";
import { programCommand } from "../support/program.ts";
import { closedAddress } from "../support/raw.ts";
import { Said } from "../support/said.ts";
import { canUnshare } from "../support/unshared.ts";

const ignore = Deno.build.os === "windows";

/** Prints the name of each signal it gets, and "ready"; TERM ends it with 3. */
const PRINTS_SIGNALS = `
  for signal in HUP INT QUIT USR1 USR2; do trap "echo got $signal" $signal; done
  trap 'echo got TERM; exit 3' TERM
  echo ready
  while :; do sleep 0.05; done`;

/**
 * A node that runs a shell's script, started by what is `before` it. `spawnNode` puts the flags last, so a shell puts the
 * program behind them.
 */
function spawnWith(
  id: string,
  script: string,
  flags = "",
  before: readonly string[] = [],
): Promise<NodeProcess> {
  const behind = [...before, "sh", "-c", 'exec "$@" -- sh -c "$SCRIPT"', "sh"];
  return spawnNode(id, flags, ["env", `SCRIPT=${script}`, ...behind, ...programCommand()]);
}

function eventuallySays(node: NodeProcess, text: string): Promise<void> {
  return eventually(() => assert(node.lines.includes(text), node.lines.join("\n")));
}

/** How another node shows one that has ended: status and reason. */
async function reasonOf(node: NodeProcess, id: string): Promise<string> {
  return await eventually(async () => {
    const { status, history } = JSON.parse(await get(node, `/members/${id}`));
    assert(status !== "live");
    return history.at(-1).reason;
  });
}

Deno.test("a node ends with its program and its status, and all others know at once", {
  ignore,
}, async () => {
  // Nobody is to wait for a minute of silence.
  await using n1 = await spawnNode("n1", "-dead-after 1m");
  await using n2 = await spawnWith("n2", "read line; exit 0", `-dead-after 1m -join ${n1.address}`);
  assertEquals(await n2.exit(), 0);
  assertMatch(n2.lines.join("\n"), /runs sh, pid \d+/);
  await eventuallyShow([n1], { n1: "live", n2: "left" });
  assertStringIncludes(await reasonOf(n1, "n2"), "exited with 0");
});

Deno.test(
  "a program that crashes makes its member dead at once, with status and signal, until it runs again",
  {
    ignore,
  },
  async () => {
    // Nobody is to wait for a minute of silence.
    await using n1 = await spawnNode("n1", "-dead-after 1m");
    await using n2 = await spawnNode("n2", `-dead-after 1m -join ${n1.address}`);
    const script = "trap 'exit 3' USR1; echo $$; while :; do sleep 0.05; done";
    const ends = [
      ["SIGKILL", 137, "sh exited with 137 (SIGKILL)"],
      ["SIGUSR1", 3, "sh exited with 3"],
    ] as const;
    for (const [signal, status, reason] of ends) {
      await using n3 = await spawnWith("n3", script, `-dead-after 1m -join ${n1.address}`);
      await eventuallyShow([n1, n2, n3], { n1: "live", n2: "live", n3: "live" });
      Deno.kill(Number(n3.lines.find((line) => /^[0-9]+$/.test(line))), signal);
      assertEquals(await n3.exit(), status);
      await eventuallyShow([n1, n2], { n1: "live", n2: "live", n3: "dead" });
      for (const node of [n1, n2]) assertEquals(await reasonOf(node, "n3"), reason);
    }
  },
);

Deno.test(
  "signals are passed on, each once, and a node leaves when its program has ended after one",
  {
    ignore,
  },
  async () => {
    await using n1 = await spawnNode("n1");
    await using n2 = await spawnWith("n2", PRINTS_SIGNALS, `-join ${n1.address}`);
    await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
    await eventuallySays(n2, "ready");
    const signals = ["HUP", "INT", "QUIT", "USR1", "USR2", "INT", "TERM"];
    for (const [i, signal] of signals.entries()) {
      n2.kill(`SIG${signal}` as Deno.Signal);
      await eventually(() => {
        const got = n2.lines.filter((line) => line.startsWith("got "));
        assertEquals(got, signals.slice(0, i + 1).map((signal) => `got ${signal}`));
      });
    }
    assertEquals(await n2.exit(), 3);
    await eventuallyShow([n1], { n1: "live", n2: "left" });
    assertStringIncludes(await reasonOf(n1, "n2"), "SIGTERM then exited with 3");
  },
);

Deno.test("a node that nohup started minds no SIGHUP, and its program none", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using node = await spawnWith("n1", PRINTS_SIGNALS, "", ["nohup"]);
  await eventuallySays(node, "ready");
  for (const signal of ["HUP", "USR1", "TERM"]) node.kill(`SIG${signal}` as Deno.Signal);
  assertEquals(await node.exit(), 3);
  assertEquals(node.lines.filter((line) => line.startsWith("got ")).toSorted(), [
    "got TERM",
    "got USR1",
  ]);
});

Deno.test("a program that ends by the signal it was sent has left as planned", {
  ignore,
}, async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnWith("n2", "echo ready; exec sleep 60", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  await eventuallySays(n2, "ready");
  n2.kill("SIGTERM");
  assertEquals(await n2.exit(), 143);
  await eventuallyShow([n1], { n1: "live", n2: "left" });
  assertMatch(await reasonOf(n1, "n2"), /SIGTERM$/);
});

Deno.test("a node that is decommissioned ends its program, and exits with 0", {
  ignore,
}, async () => {
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnWith("n2", PRINTS_SIGNALS, `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  await eventuallySays(n2, "ready");
  await get(n1, "/bye?id=n2");
  assertEquals(await n2.exit(), 0);
  assert(n2.lines.includes("got TERM"), n2.lines.join("\n"));
});

Deno.test("a program that cannot be started is an error with a shell's status", {
  ignore,
}, async () => {
  const node = ["-port", "0", "-host", "127.0.0.1", "--"];
  const missing = await runProgram([...node, "no-such-program", "-x"]);
  assertEquals(missing.code, 127);
  assertMatch(
    missing.stderr,
    /^gossiper: Cannot run 'no-such-program': there is no such program$/m,
  );
  const unusable = await runProgram([...node, "/"]);
  assertEquals(unusable.code, 126);
  assertMatch(unusable.stderr, /^gossiper: Cannot run '\/': .*denied/m);
});

Deno.test("a program keeps stdin and stdout for itself: nothing is added, nothing is lost", {
  ignore,
}, async () => {
  const [program, ...args] = programCommand();
  const child = new Deno.Command(program, {
    args: [...args, "-port", "0", "-host", "127.0.0.1", "--", "cat"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const writer = child.stdin.getWriter();
  const received = new Response(child.stdout).bytes();
  await writer.write(sent);
  await writer.close();
  assertEquals(await within(received, () => "cat runs on"), sent);
  assertEquals((await child.status).code, 0);
});

/** A program for `script`, which gives it a terminal: its output there, and what it is sent as if typed. */
const hasScript = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

Deno.test("Ctrl-C in a terminal reaches a program once", { ignore: !hasScript }, async () => {
  const inTerminal = `exec "$@" -port 0 -host 127.0.0.1 -- sh -c "$SCRIPT"`;
  const child = new Deno.Command("script", {
    args: ["-qefc", `exec sh -c '${inTerminal}' sh ${programCommand().join(" ")}`, "/dev/null"],
    env: {
      SCRIPT: 'n=0; trap "n=\\$((n+1)); echo got \\$n" INT; echo ready; ' +
        'while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo "got $n in all"; exit 5',
      SHELL: "/bin/sh",
    },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const typed = child.stdin.getWriter();
  const seen = new Said(child.stdout);
  await eventually(() => assertStringIncludes(seen.text, "ready"));
  await typed.write(new Uint8Array([3]));
  await within(seen.ended, () => seen.text);
  assertEquals((await child.status).code, 5);
  await typed.close().catch(() => {});
  assertStringIncludes(seen.text, "got 1 in all");
});

/** In its first moments a runtime opens no debugger. */
const SIGNALS = 20;

/** Deno opens it from 2.9 on. */
const opensDebugger = Number(Deno.version.deno.split(".")[1]) >= 9;

for (
  const [what, beside] of [
    ["a node", ""],
    ["a node beside a program, which gets the signal", `-- sh -c "$SCRIPT"`],
  ] as const
) {
  Deno.test(
    `the debugger that SIGUSR1 opens in the runtime does not stay open: ${what}`,
    { ignore: !canUnshare || !opensDebugger },
    async () => {
      // The debugger has a fixed port: in a network of its own the node takes it from nobody.
      const place = `ip link set lo up && exec "$@" ${beside}`;
      const inPlace = ["unshare", "--net", "env", `SCRIPT=${PRINTS_SIGNALS}`, "sh", "-c", place];
      await using node = await spawnNode("n1", "", [...inPlace, "sh", ...programCommand()]);
      if (beside !== "") await eventuallySays(node, "ready");
      /** Lines of the ports that the node's network listens on: 0A is "listens". */
      const listening = async () => {
        const table = await Deno.readTextFile(`/proc/${node.pid}/net/tcp`);
        return table.split("\n").map((line) => line.trim().split(/\s+/))
          .filter(([, , , state]) => state === "0A").map(([, local]) => local);
      };
      try {
        const own = await listening();
        assertEquals(own.length, 1);
        for (let i = 0; i < SIGNALS; i++) {
          node.kill("SIGUSR1");
          // Long enough for it to open: as long as it takes to read so many files.
          for (let reads = 0; reads < 20; reads++) await listening();
        }
        if (beside !== "") await eventuallySays(node, "got USR1");
        await eventually(async () => assertEquals(await listening(), own));
      } finally {
        // Its program would outlive a node that is killed.
        node.kill("SIGTERM");
        await node.exit();
      }
    },
  );
}

// Linux makes the orphans of a container the children of its first process.
Deno.test(
  "as the first process of a container a node leaves no zombies, of its program's orphans or its checks'",
  {
    ignore: !canUnshare,
  },
  async () => {
    const script = `
    for i in 1 2 3; do sh -c 'sleep 0.05 &'; done
    # Two runs of the check leave an orphan each, which is killed.
    while [ $(wc -l < "$RUNS") -lt 2 ]; do sleep 0.1; done
    for i in 1 2 3 4 5 6 7 8 9 10; do
      if ! ps -eo stat | grep -q Z; then echo "no zombies"; exit 7; fi
      sleep 0.2
    done
    ps -ef; exit 1`;
    const runs = await Deno.makeTempFile();
    try {
      const { code, stdout, stderr } = await new Deno.Command("unshare", {
        args: [
          ..."--pid --fork --mount-proc".split(" "),
          ...programCommand(),
          ..."-port 0 -host 127.0.0.1 -check".split(" "),
          `exec:sh -c 'sleep 60 &'; echo >> "$RUNS",every=1s`,
          ...["--", "sh", "-c", script],
        ],
        env: { RUNS: runs },
      }).output();
      const text = new TextDecoder();
      assertEquals(
        [code, text.decode(stdout)],
        [7, "no zombies\n"],
        text.decode(stderr),
      );
    } finally {
      await Deno.remove(runs);
    }
  },
);

Deno.test("a check that fails is shown by all nodes, and so is that it passes again", {
  ignore,
}, async () => {
  const address = closedAddress();
  await using n1 = await spawnNode("n1");
  await using n2 = await spawnNode(
    "n2",
    `-check tcp:${address},every=1s,fall=1,name=db -join ${n1.address}`,
  );
  await eventuallyShow([n1, n2], { n1: "live", n2: "failing" });
  assertEquals(await reasonOf(n1, "n2"), "db: connection refused");
  await eventuallyLogs(n2, /warning: checks: failing: db: connection refused$/);
  const [hostname, port] = address.split(":");
  using _ = Deno.listen({ hostname: hostname!, port: Number(port) });
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  await eventuallyLogs(n2, / checks: pass$/);
});

Deno.test(
  "a node gives up the right to run programs and to load libraries, unless it was told to",
  {
    ignore,
  },
  async () => {
    const program = new URL("../support/permissions.ts", import.meta.url).href;
    const words = [Deno.execPath(), "run", "-A", "--no-prompt", "--quiet", program];
    await using n1 = await spawnNode("n1", "", words);
    await eventually(() => {
      const states = n1.lines.find((line) => line.startsWith("states: "));
      assert(states !== undefined && !states.includes("granted"), n1.lines.join("\n"));
    });
    // There a node that lost its address looks for another.
    if (Deno.build.os === "linux") await eventuallySays(n1, "routes: Iface");
    await using n2 = await spawnNode("n2", "-check exec:true", words);
    await eventuallySays(n2, "states: granted granted");
  },
);
