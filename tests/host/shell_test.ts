/** Commands that cannot be killed, as `sudo` or a dead disk makes them; check_runs_test.ts has the others. */
import { assertEquals } from "@std/assert";
import { runShell } from "../../lib/host/shell.ts";
import { eventually } from "../support/eventually.ts";
import { Timers } from "../support/timers.ts";

Deno.test({
  name:
    "a command that cannot be killed is waited for a second longer, and not run again beside it",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { kill } = Deno;
    const folder = await Deno.makeTempDir();
    const command = `echo $$ >> ${folder}/runs; exec sleep $(cat ${folder}/seconds)`;
    const { signal } = new AbortController();
    const refused = {
      passed: false,
      how: "did not end in time, and cannot be killed",
      lines: [],
    };
    try {
      await Deno.writeTextFile(`${folder}/seconds`, "60");
      Object.assign(Deno, {
        kill: () => {
          throw new Deno.errors.PermissionDenied("Operation not permitted (os error 1)");
        },
      });
      const over = new AbortController();
      const ended = runShell(command, { signal: over.signal });
      const pid = await eventually(async () => {
        const [line, ...rest] = (await Deno.readTextFile(`${folder}/runs`)).split("\n");
        assertEquals(rest, [""]);
        return Number(line);
      });
      {
        using timers = new Timers();
        over.abort();
        await timers.next(1_000);
        assertEquals(await ended, refused);
        assertEquals(await runShell(command, { signal }), refused);
      }
      assertEquals(await Deno.readTextFile(`${folder}/runs`), `${pid}\n`);
      Object.assign(Deno, { kill });
      kill(pid, "SIGKILL");
      await Deno.writeTextFile(`${folder}/seconds`, "0");
      // Once that one has ended, the next is run.
      await eventually(async () =>
        assertEquals((await runShell(command, { signal })).how, "exited with 0")
      );
    } finally {
      Object.assign(Deno, { kill });
      await Deno.remove(folder, { recursive: true });
    }
  },
});
