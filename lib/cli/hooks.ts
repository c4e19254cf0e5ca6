/**
 * `gossiper quiet` and `gossiper hook test`.
 *
 * @module
 */
import { CallError, type Client, EXIT } from "./client.ts";
import type { Call } from "./parse.ts";
import { firstLine } from "./read.ts";
import { printUnlessClosed, type Terminal } from "./terminal.ts";

/** Longest wait for a hook that is tried, in ms: a command has 30 s, and others may be before it. */
const TEST_MS = 40_000;

/** Keeps all hooks from telling of a member, or of those that a pattern covers. */
export async function quiet(call: Call, client: Client, terminal: Terminal): Promise<number> {
  const { operand: id, query, end } = call;
  if (end === query.has("for")) {
    throw new CallError(EXIT.wrong, "Give -for DURATION, such as -for 2h, or -end");
  }
  const asked = new URLSearchParams([["id", id], ...query, ...(end ? [["for", "0"]] : [])]);
  const { status, text } = await client.ask(`quiet?${asked}`, { method: "POST", also: [507] });
  if (status !== 200) throw new CallError(EXIT.not, firstLine(text));
  await printUnlessClosed(terminal, `${firstLine(text)}\n`);
  return EXIT.fine;
}

/** Has the node try one of its hooks. */
export async function testHook(
  { operand: name }: Call,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  const { status, text } = await client.ask(`hook-test?name=${encodeURIComponent(name)}`, {
    method: "POST",
    // 502: the hook failed.
    also: [404, 502],
    answerMs: TEST_MS,
  });
  if (status !== 200) throw new CallError(EXIT.not, firstLine(text));
  await printUnlessClosed(terminal, `${firstLine(text)}\n`);
  return EXIT.fine;
}
