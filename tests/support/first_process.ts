/**
 * The first process of a container, which starts others, and prints as JSON what became of them: its children's exit
 * statuses, and why it cannot take those of orphans. With an argument it cannot, for this reason; else it does not end
 * before it has.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { reapOrphans, spawn } from "../../lib/host/processes.ts";
import { eventually } from "./eventually.ts";

function zombies(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      if (/\) Z /.test(Deno.readTextFileSync(`/proc/${name}/stat`))) count++;
    } catch {
      // It has ended, and somebody has taken its status.
    }
  }
  return count;
}

function start(script: string): Deno.ChildProcess {
  return spawn("sh", { args: ["-c", script] });
}

/** Leaves an orphan, which ends when this process has become its parent. */
const ORPHAN = "sh -c 'until set -- $(cat /proc/$$/stat) && [ $4 = 1 ]; do :; done' &";

await start(ORPHAN).status;
await eventually(() => assert(zombies() > 0, "the orphan has not ended"));
const troubles: string[] = [];
const [trouble] = Deno.args;
if (trouble !== undefined) {
  const dlopen = () => {
    throw new Error(trouble);
  };
  Object.assign(Deno, { dlopen });
}
// Once is enough for all who ask.
for (let i = 0; i < 2; i++) reapOrphans((text) => troubles.push(text));
if (trouble === undefined) {
  await eventually(() => assertEquals(zombies(), 0, "the orphan that had ended is left"));
}
// Ended at the same time as a child, which the runtime has not heard of yet.
const sameTime = start(ORPHAN);
while (zombies() < (trouble === undefined ? 2 : 3));
await sameTime.status;
if (trouble === undefined) {
  await eventually(() => assertEquals(zombies(), 0, "the orphan behind a child is left"));
}
// One that runs on keeps nobody waiting.
const lasting = start("exec sleep 1000");
const children = Array.from({ length: 20 }, () => start(`${ORPHAN}\nexit 7`));
const statuses = await Promise.all(children.map(({ status }) => status));
if (trouble === undefined) {
  await eventually(() => assertEquals(zombies(), 0, "orphans that ended later are left"));
}
lasting.kill("SIGKILL");
await lasting.status;
console.log(JSON.stringify({ troubles, statuses: [...new Set(statuses.map(({ code }) => code))] }));
Deno.exit(0);
