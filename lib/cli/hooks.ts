/**
 * `gossiper quiet` and `gossiper hook test`.
 *
 * @module
 */
import { change } from "./change.ts";
import { CallError, type Client, EXIT } from "./client.ts";
import type { Invocation } from "./parse.ts";
import type { Terminal } from "./terminal.ts";

/** Longest wait for a hook that is tried, in ms: a command has 30 s, and others may be before it. */
const TEST_MS = 40_000;

/** Keeps all hooks from telling of a member, or of those that a pattern covers. */
export async function quiet(
  invocation: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  const { operand: id, query, end } = invocation;
  if (end === query.has("for")) {
    throw new CallError(EXIT.wrong, "Give -for DURATION, such as -for 2h, or -end");
  }
  const asked = new URLSearchParams([["id", id], ...query, ...(end ? [["for", "0"]] : [])]);
  await change(`quiet?${asked}`, { client, terminal, about: id, not: [507] });
  return EXIT.fine;
}

/** Has the node try one of its hooks. */
export async function testHook(
  { operand: name }: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  await change(`hook-test?name=${encodeURIComponent(name)}`, {
    client,
    terminal,
    about: name,
    answerMs: TEST_MS,
    // 502: the hook failed.
    not: [404, 502],
  });
  return EXIT.fine;
}
