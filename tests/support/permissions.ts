/**
 * The program, which prints, once its node is live, whether it may still run others and load libraries.
 *
 * @module
 */
import { main } from "../../main.ts";

const { error } = console;
const write = Deno.stderr.write.bind(Deno.stderr);
Deno.stderr.write = async (bytes) => {
  const states = await Promise.all(
    (["run", "ffi"] as const).map(async (name) => (await Deno.permissions.query({ name })).state),
  );
  if (new TextDecoder().decode(bytes).includes(" is live: ")) error(`states: ${states.join(" ")}`);
  return await write(bytes);
};
Deno.exit(await main(Deno.args));
