/**
 * `gossiper live`: addresses of live members, once or whenever they are others.
 *
 * @module
 */
import { pause } from "../net/deadline.ts";
import { CallError, type Client, EXIT, type TextAnswer } from "./client.ts";
import { readAddresses } from "./read.ts";
import { printUnlessClosed, type Terminal } from "./terminal.ts";

/** How long a node is asked to wait for another list, within the time in which it has to answer. */
const WAIT = "8s";

/** The wait after a call in vain, and after one that was answered with the same list: nobody waited for another. */
const AGAIN_MS = 1_000;

/** Prints the list, one address a line; resolves to the exit status. */
export async function printLive(
  client: Client,
  terminal: Terminal,
  query: URLSearchParams,
): Promise<number> {
  const addresses = readAddresses((await client.ask(`live?${query}`)).text);
  await printUnlessClosed(terminal, addresses.map((address) => `${address}\n`).join(""));
  return addresses.length === 0 ? EXIT.not : EXIT.fine;
}

/** Prints each list as one line, as it comes. Ends only by an error. */
export async function followLive(
  client: Client,
  terminal: Terminal,
  query: URLSearchParams,
): Promise<never> {
  const { signal } = new AbortController();
  let since: string | undefined;
  let printed: string | undefined;
  let isLost = false;
  for (;;) {
    const asked = new URLSearchParams(query);
    if (since !== undefined) {
      for (const [name, value] of [["wait", WAIT], ["since", since]]) asked.set(name!, value!);
    }
    let answer: TextAnswer;
    try {
      answer = await client.ask(`live?${asked}`, { also: [304] });
    } catch (error) {
      // A node that never answered, or refuses, is a mistake in the call.
      const isLasting = !(error instanceof CallError) || error.status !== EXIT.nobody;
      if (isLasting || since === undefined) throw error;
      if (!isLost) terminal.note(`gossiper: lost ${client.name}, and asks again: ${error.message}`);
      isLost = true;
      await pause(AGAIN_MS, signal);
      continue;
    }
    if (isLost) terminal.note(`gossiper: ${client.name} answers again`);
    isLost = false;
    if (answer.status === 304) continue;
    since = answer.etag;
    const list = readAddresses(answer.text).join(" ");
    // By the list itself, as a proxy may take the ETag away.
    if (list !== printed) await terminal.print(`${list}\n`);
    else await pause(AGAIN_MS, signal);
    printed = list;
  }
}
