import { assertEquals } from "@std/assert";
import { describeExit, killGroup, reapOrphans, spawn } from "../../lib/host/processes.ts";
import { within } from "../support/eventually.ts";
import { canUnshare } from "../support/unshared.ts";

const ignore = Deno.build.os === "windows";

Deno.test("describeExit() tells the status, and the signal where there was one", () => {
  assertEquals(describeExit({ success: false, code: 1, signal: null }), "exited with 1");
  const killed = { success: false, code: 137, signal: "SIGKILL" } as const;
  assertEquals(describeExit(killed), "exited with 137 (SIGKILL)");
});

Deno.test("killGroup() ends a process and those that it started, and minds none that have ended", {
  ignore,
}, async () => {
  const script = "sh -c 'echo $$; sleep 60' & wait";
  const options = { detached: true, stdout: "piped", stderr: "null" } as const;
  const child = spawn("sh", { args: ["-c", script], ...options });
  const reader = child.stdout.getReader();
  const pid = new TextDecoder().decode((await reader.read()).value).trim();
  killGroup(child);
  const { code } = await child.status;
  assertEquals(code, 137);
  // The pipe is closed once nobody holds it any more.
  const { done } = await within(reader.read(), () => `process ${pid} runs on`);
  assertEquals(done, true);
});

Deno.test("killGroup() minds no process that has ended", { ignore }, async () => {
  const child = spawn("true", { detached: true });
  await child.status;
  killGroup(child);
});

Deno.test("killGroup() minds no process that runs as another user", () => {
  const { kill } = Deno;
  let tried = 0;
  try {
    Object.assign(Deno, {
      kill: () => {
        tried++;
        throw new Deno.errors.PermissionDenied("Operation not permitted (os error 1)");
      },
    });
    killGroup({ pid: 1_000 } as Deno.ChildProcess);
  } finally {
    Object.assign(Deno, { kill });
  }
  assertEquals(tried, 1);
});

Deno.test("reapOrphans() leaves all to whoever is the first process", () => {
  const { addSignalListener } = Deno;
  const heard: string[] = [];
  Object.assign(Deno, { addSignalListener: (signal: string) => heard.push(signal) });
  try {
    reapOrphans((text) => heard.push(text));
  } finally {
    Object.assign(Deno, { addSignalListener });
  }
  assertEquals(heard, []);
});

/** What the first process of a container tells: see first_process.ts. */
async function askFirstProcess(...args: string[]) {
  const program = new URL("../support/first_process.ts", import.meta.url).href;
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [
      ..."--signal KILL 20 unshare".split(" "),
      ..."--pid --fork --kill-child --mount-proc".split(" "),
      ...[Deno.execPath(), "run", "-A", "--quiet", program, ...args],
    ],
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return JSON.parse(text.decode(stdout));
}

// Linux makes the orphans of a container the children of its first process.
Deno.test(
  "reapOrphans() takes the statuses of orphans, of those that had ended too, and none of a child",
  { ignore: !canUnshare },
  async () => assertEquals(await askFirstProcess(), { troubles: [], statuses: [7] }),
);

Deno.test("reapOrphans() says why it cannot", { ignore: !canUnshare }, async () => {
  assertEquals(await askFirstProcess("no library"), { troubles: ["no library"], statuses: [7] });
});
