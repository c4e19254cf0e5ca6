/**
 * The program, asked to stop before its node exists: SIGTERM comes while it still reads its flags.
 *
 * @module
 */
import { main } from "../../main.ts";

const { hostname } = Deno;
Deno.hostname = () => {
  Deno.kill(Deno.pid, "SIGTERM");
  return hostname();
};
Deno.exit(await main(Deno.args));
