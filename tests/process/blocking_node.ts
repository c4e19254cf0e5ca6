/**
 * A node whose event loop is blocked for `BLOCK_MS` at SIGUSR2, as by a computation in the same process.
 *
 * @module
 */
import { main } from "../../main.ts";

Deno.addSignalListener("SIGUSR2", () => {
  const untilMs = performance.now() + Number(Deno.env.get("BLOCK_MS"));
  while (performance.now() < untilMs);
});

Deno.exit(await main(Deno.args));
