/**
 * A program with a mistake: the log of its node throws at the first line that matches the first argument. The others are flags.
 *
 * @module
 */
import { parseConfig } from "../../lib/config/config.ts";
import { onStopSignal, surviveErrors } from "../../lib/host/process.ts";
import { start } from "../../lib/run/running_node.ts";

const [pattern = "", ...flags] = Deno.args;
const parsed = parseConfig(flags, () => undefined, { hostname: "localhost", randomId: "n1" });
if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
let thrown = false;
surviveErrors((error) => console.error(`caught: ${error}`));
onStopSignal(() => console.error("stops, in its own time"));
const running = start(parsed.config, (line) => {
  console.error(line);
  if (thrown || !line.includes(pattern)) return;
  thrown = true;
  throw new Error("a mistake");
});
await running.ended;
