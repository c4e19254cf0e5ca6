/**
 * What `bye`, `forget`, `quiet` and `hook test` share: asking a node for a change, and saying what it did.
 *
 * @module
 */
import { CallError, type Client, EXIT } from "./client.ts";
import { firstLine } from "./read.ts";
import { printUnlessClosed, type Terminal } from "./terminal.ts";

/**
 * Asks the node for a change, and prints in a line what it did.
 *
 * @throws {CallError} with its words where it answers one of the statuses `not`; with `missing`, if given, for 404.
 * Its words name what the change is `about`.
 */
export async function change(
  path: string,
  { client, terminal, about, not, missing, answerMs }: {
    client: Client;
    terminal: Terminal;
    about: string;
    not: number[];
    missing?: string;
    answerMs?: number;
  },
): Promise<void> {
  const asked = { method: "POST", also: not, about, ...(answerMs !== undefined && { answerMs }) };
  const { status, text } = await client.ask(path, asked);
  const words = firstLine(text);
  if (status === 200) return await printUnlessClosed(terminal, `${words}\n`);
  throw new CallError(EXIT.not, status === 404 ? missing ?? words : words);
}
