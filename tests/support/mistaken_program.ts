/**
 * The program, in which the same mistake is made three times, and nobody catches it, once its node is live.
 *
 * @module
 */
import { main } from "../../main.ts";

const write = Deno.stderr.write.bind(Deno.stderr);
Deno.stderr.write = async (bytes) => {
  if (new TextDecoder().decode(bytes).includes(" is live: ")) {
    for (let i = 0; i < 3; i++) {
      setTimeout(() => {
        throw new Error("a mistake");
      });
    }
  }
  return await write(bytes);
};
Deno.exit(await main(Deno.args));
