import { assertEquals, assertStringIncludes } from "@std/assert";
import { canUnshare } from "../support/unshared.ts";
import { runOutage } from "./outage.ts";

// `deno run -A tests/process/outage.ts 40 120` is the same with 40 of them, for two minutes.
Deno.test(
  "while no name server answers, a cluster with a key and dead members by name calls no live node dead",
  {
    ignore: !canUnshare,
  },
  async () => {
    const { code, output } = await runOutage({ dead: 20, lastsMs: 0 });
    assertEquals(code, 0, output);
    assertStringIncludes(output, "no node was called dead");
  },
);
