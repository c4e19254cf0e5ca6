/**
 * The program, which prints, once its node is live, whether it may still run others and load libraries, and whether it
 * reads /proc.
 *
 * @module
 */
import { readProc } from "../../lib/host/libc.ts";
import { main } from "../../main.ts";

const { error } = console;
const write = Deno.stderr.write.bind(Deno.stderr);
Deno.stderr.write = async (bytes) => {
  const states = await Promise.all(
    (["run", "ffi"] as const).map(async (name) => (await Deno.permissions.query({ name })).state),
  );
  if (new TextDecoder().decode(bytes).includes(" is live: ")) {
    error(`states: ${states.join(" ")}`);
    if (Deno.build.os === "linux") error(`routes: ${readProc("/proc/net/route").slice(0, 5)}`);
  }
  return await write(bytes);
};
Deno.exit(await main(Deno.args));
