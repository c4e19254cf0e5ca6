import { assertEquals } from "@std/assert";
import { Child, ENDING_MS, type PassedSignal } from "../../lib/host/child.ts";
import { eventually, within } from "../support/eventually.ts";
import { Timers } from "../support/timers.ts";

const ignore = Deno.build.os === "windows";

/** What a test sees of a program, and the clock that it moves. */
interface Bench extends AsyncDisposable {
  readonly troubles: readonly string[];
  readonly clock: { nowMs: number };
}

/** A shell that has come to the end of `script`, and then waits. */
async function start(script: string): Promise<Child & Bench> {
  const folder = await Deno.makeTempDir();
  const waits = `: > "$1/ready"; while :; do sleep 0.05; done`;
  const troubles: string[] = [];
  const command = ["/bin/sh", "-c", `${script}\n${waits}`, "sh", folder];
  const clock = { nowMs: 0 };
  const child = new Child(command, {
    onTrouble: (text) => troubles.push(text),
    nowMs: () => clock.nowMs,
  });
  await eventually(() => Deno.stat(`${folder}/ready`));
  return Object.assign(child, {
    troubles,
    clock,
    async [Symbol.asyncDispose]() {
      child.pass("SIGKILL" as PassedSignal);
      await child.exited;
      await Deno.remove(folder, { recursive: true });
    },
  });
}

Deno.test(
  "Child.exited tells the end: crashed unless it was asked to stop, with its status where that is no answer to it",
  {
    ignore,
  },
  async () => {
    const ends = [
      ["", "SIGTERM", { status: 143, planned: true, word: "SIGTERM" }],
      ["trap 'exit 0' TERM", "SIGTERM", { status: 0, planned: true, word: "SIGTERM" }],
      ["trap 'exit 3' TERM", "SIGTERM", {
        status: 3,
        planned: true,
        word: "SIGTERM then exited with 3",
      }],
      ["trap 'exit 0' USR1", "SIGUSR1", { status: 0, planned: true, word: "exited with 0" }],
      ["trap 'exit 3' USR1", "SIGUSR1", { status: 3, planned: false, word: "dead 3 sh" }],
      ["", "SIGUSR1", { status: 138, planned: false, word: "dead 138 SIGUSR1 sh" }],
    ] as const;
    for (const [script, signal, end] of ends) {
      await using child = await start(script);
      child.pass(signal);
      assertEquals(await within(child.exited, () => `${signal} does not end it`), end, script);
    }
  },
);

Deno.test(
  "Child.exited tells a crash long after a signal by which many mean no stop; SIGTERM means one for good",
  {
    ignore,
  },
  async () => {
    const minute = 60_000;
    const ends = [
      ["SIGQUIT", minute - 1, "SIGQUIT then exited with 3", true],
      ["SIGQUIT", minute, "dead 3 sh", false],
      ["SIGINT", minute, "dead 3 sh", false],
      ["SIGTERM", 10 * minute, "SIGTERM then exited with 3", true],
    ] as const;
    for (const [signal, laterMs, word, planned] of ends) {
      await using child = await start(`trap '' ${signal.slice(3)}; trap 'exit 3' USR1`);
      child.pass(signal);
      child.clock.nowMs += laterMs;
      child.pass("SIGUSR1");
      assertEquals(await within(child.exited, () => `${signal}: it runs on`), {
        status: 3,
        planned,
        word,
      });
    }
  },
);

// Others have no such signals.
Deno.test("Child.exited tells the end by a signal that has no name, as of any that ends it", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using child = await start("");
  const { success } = await new Deno.Command("kill", { args: ["-40", `${child.pid}`] }).output();
  assertEquals(success, true);
  const exit = await within(child.exited, () => "its end is not told");
  assertEquals(exit, { status: 168, planned: false, word: "dead 168 sh" });
});

Deno.test(
  "Child.exited after a closed terminal has left as planned, by the signal that the program got as well",
  {
    ignore,
  },
  async () => {
    await using child = await start("");
    child.hungUp();
    Deno.kill(child.pid, "SIGHUP");
    assertEquals(await child.exited, { status: 129, planned: true, word: "SIGHUP" });
  },
);

Deno.test("Child.stop() asks the program to end, and waits until it has", { ignore }, async () => {
  await using child = await start("trap 'exit 5' TERM");
  let ended = false;
  void child.exited.then(() => ended = true);
  await child.stop();
  assertEquals(ended, true);
  assertEquals((await child.exited).word, "SIGTERM then exited with 5");
});

Deno.test(
  "Child.stop() has asked the program to end, although it was asked for the last time long ago",
  {
    ignore,
  },
  async () => {
    await using child = await start("trap '' INT; trap : TERM; trap 'exit 5' USR1");
    child.pass("SIGINT");
    child.clock.nowMs += 59_000;
    const stopped = child.stop();
    child.clock.nowMs += 2_000;
    child.pass("SIGUSR1");
    await stopped;
    assertEquals((await child.exited).planned, true);
  },
);

Deno.test("Child.stop() kills a program that takes longer to end than containers give it", {
  ignore,
}, async () => {
  await using child = await start("trap '' TERM");
  {
    using timers = new Timers();
    const stopped = child.stop();
    assertEquals(timers.delays, [ENDING_MS]);
    await timers.next();
    await stopped;
  }
  const { status, planned } = await within(child.exited, () => "it runs on");
  assertEquals([status, planned], [137, true]);
});

Deno.test(
  "Child.stop() waits no longer for a program of another user, and what it cannot be sent is told",
  {
    ignore,
  },
  async () => {
    await using child = await start("");
    const { kill } = Deno.ChildProcess.prototype;
    try {
      Deno.ChildProcess.prototype.kill = () => {
        throw new Deno.errors.PermissionDenied("EPERM: Operation not permitted");
      };
      child.pass("SIGTERM");
      using timers = new Timers();
      const stopped = child.stop();
      assertEquals(timers.delays, [ENDING_MS]);
      await timers.next();
      await stopped;
    } finally {
      Deno.ChildProcess.prototype.kill = kill;
    }
    const told = (signal: string) => `cannot send ${signal} to sh: it runs as another user`;
    assertEquals(child.troubles, ["SIGTERM", "SIGTERM", "SIGKILL"].map(told));
  },
);
