/**
 * `gossiper bye`: what one should know before it, and how far it got.
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { pause } from "../net/deadline.ts";
import { isUp } from "../table.ts";
import { onlyTags } from "../../static/lists.js";
import { change } from "./change.ts";
import { CallError, type Client, EXIT } from "./client.ts";
import type { Invocation } from "./parse.ts";
import { readMembers } from "./read.ts";
import { findStory, unknownWords } from "./story.ts";
import { printUnlessClosed, type Terminal } from "./terminal.ts";

/** How a node says to whom a decommission is known. */
const SPREAD = /^known to (\d+) of (\d+)$/;

/** The node is asked this often, and for so long, in ms: within a second or two all that live know. */
const SPREAD_GAP_MS = 300;
const SPREAD_MS_MAX = 5_000;

/** Asks back, decommissions, and tells to how many it is known; resolves to the exit status. */
export async function decommission(
  invocation: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  const { operand: id } = invocation;
  if (!invocation.yes) {
    if (terminal.canAsk) await describeMember(id, client, terminal);
    const answer = terminal.ask(`decommission ${id} for good? [y/N]`);
    if (answer === undefined) {
      throw new CallError(
        EXIT.wrong,
        `Cannot ask whether to decommission ${id}, as there is no terminal: give -yes`,
      );
    }
    if (!/^y(?:es)?$/i.test(answer)) throw new CallError(EXIT.not, `${id} stays as it is`);
  }
  // Who was asked on a terminal has read that the ID is not known.
  const unknown = !invocation.yes || invocation.unknown ? "&unknown=yes" : "";
  await change(`bye?id=${encodeURIComponent(id)}${unknown}`, {
    client,
    terminal,
    about: id,
    missing: `${unknownWords(id, client)}: give -unknown if you mean it all the same`,
    // 507: the node cannot write it down.
    not: [404, 507],
  });
  const known = await waitForSpread(id, client);
  if (known !== undefined) await printUnlessClosed(terminal, `${known} live members\n`);
  return EXIT.fine;
}

/** Waits until all know, or for a while; what is known then, undefined where the node does not count. */
async function waitForSpread(id: string, client: Client): Promise<string | undefined> {
  const { signal } = new AbortController();
  for (let waitedMs = 0;; waitedMs += SPREAD_GAP_MS) {
    const [words, known, of] = SPREAD.exec(await remarkOf(id, client) ?? "") ?? [];
    if (words === undefined || known === of || waitedMs >= SPREAD_MS_MAX) return words;
    await pause(SPREAD_GAP_MS, signal);
  }
}

/** Tells what a decommission would end: an ID is easily mistyped. */
async function describeMember(id: string, client: Client, terminal: Terminal): Promise<void> {
  const story = await findStory(id, client);
  if (story === undefined) return terminal.note(unknownWords(id, client));
  const { address, status } = story;
  const ends = isUp(status) ? ": its process will end" : "";
  terminal.note(`${id} is ${status}${address && ` at ${address}`}${ends}`);
  const members = readMembers((await client.ask("members")).text);
  const tagged = members.map(({ id, status, tags }) => ({ id, status, tags: tagWords(tags) }));
  for (const tag of onlyTags(id, tagged)) terminal.note(`${id} is the only one that is ${tag}`);
}

/** What else to know of a member; null also where the node is gone: it may have decommissioned itself. */
async function remarkOf(id: string, client: Client): Promise<string | null> {
  try {
    return (await findStory(id, client))?.remark ?? null;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return null;
  }
}
