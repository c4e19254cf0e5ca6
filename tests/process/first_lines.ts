/**
 * Starts the program as on a fresh host, without flags that name an address, and prints what it says up to the line
 * that it listens, and how it answers then on each family. For namespaces of its own, see hosts_test.ts.
 *
 * @module
 */
import { programCommand } from "../support/program.ts";

/** A family that nobody listens on refuses at once. */
async function answers(host: string): Promise<string> {
  return await fetch(`http://${host}:8080/healthz`).then(
    (response) => response.text(),
    () => "refused\n",
  );
}

const [, ...flags] = Deno.args; // after the folder
const [program, ...args] = programCommand();
const child = new Deno.Command(program, { args: [...args, ...flags], stderr: "piped" }).spawn();
let log = "";
for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
  log += text;
  if (!/ listens on .*\n/.test(log)) continue;
  log += `IPv4: ${await answers("127.0.0.1")}IPv6: ${await answers("[::1]")}`;
  break;
}
console.log(log);
child.kill("SIGKILL");
await child.status;
