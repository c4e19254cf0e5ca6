/**
 * The commands, which ask a running node: each parses, asks, prints, and says by its exit status how things stand.
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { NODE_FLAGS } from "../config/config.ts";
import { type CommandName, COMMANDS } from "../config/commands.ts";
import { readText } from "../host/files.ts";
import { authoritiesTrouble } from "../net/authorities.ts";
import { KeyError, parseKeys } from "../net/keys.ts";
import { KEY_VARIABLE } from "../config/security.ts";
import { errorText } from "../text.ts";
import { followLive, printLive } from "./live.ts";
import { firstLine, jsonLine, readMembers, readTagsAnswer } from "./read.ts";
import { CallError, Client, EXIT } from "./client.ts";
import { completionScript } from "./completions.ts";
import { flagsOf } from "./details.ts";
import { type Invocation, type NodeTarget, parseInvocation } from "./parse.ts";
import { isTrouble, painter, sorted, storyText, tableLines } from "./show.ts";
import { decommission } from "./bye.ts";
import { change } from "./change.ts";
import { quiet, testHook } from "./hooks.ts";
import { findStory, unknownWords } from "./story.ts";
import { ClosedError, openTerminal, printUnlessClosed, type Terminal } from "./terminal.ts";
import { drawChanges, printChanges } from "./watch.ts";

/** Longest file of keys or certificates that is read: as a node reads them. */
const FILE_BYTES_MAX = 1_048_576;

/** Rows of a terminal that a watched table leaves free: its heading, what is below it, and the cursor. */
const ROWS_FREE = 3;

/** Runs the command that `args` begin with; resolves to its exit status. */
export async function main(args: string[]): Promise<number> {
  const terminal = openTerminal();
  const parsed = parseInvocation(args, (name) => Deno.env.get(name));
  try {
    if (parsed.kind === "run") return await run(parsed.invocation, terminal);
    if (parsed.kind === "help") await terminal.print(`${parsed.text}\n`);
    else terminal.note(`gossiper: ${parsed.message}`);
    return parsed.kind === "help" ? EXIT.fine : EXIT.wrong;
  } catch (error) {
    if (error instanceof ClosedError) return EXIT.quiet;
    if (!(error instanceof CallError)) throw error;
    terminal.note(`gossiper: ${error.message}`);
    return error.status;
  }
}

async function run(invocation: Invocation, terminal: Terminal): Promise<number> {
  if (invocation.command === "completions") {
    const names = Object.keys(COMMANDS) as CommandName[];
    const commands = Object.fromEntries(names.map((name) => [name, flagsOf(name)]));
    await terminal.print(
      `${completionScript(invocation.operand, { commands, node: NODE_FLAGS })}\n`,
    );
    return EXIT.fine;
  }
  using client = await clientFor(invocation.target);
  try {
    switch (invocation.command) {
      case "members":
        return await showMembers(invocation, client, terminal);
      case "live":
        if (invocation.watch) return await followLive(client, terminal, invocation.query);
        return await printLive(client, terminal, invocation.query);
      case "tag":
        return await changeTags(invocation, client, terminal);
      case "why":
        return await showStory(invocation, client, terminal);
      case "bye":
        return await decommission(invocation, client, terminal);
      case "forget":
        return await forget(invocation, client, terminal);
      case "quiet":
        return await quiet(invocation, client, terminal);
      case "hook":
        return await testHook(invocation, client, terminal);
      case "events":
        await printChanges(client, terminal);
        return EXIT.fine;
    }
  } catch (error) {
    throw client.explain(error);
  }
}

async function showMembers(
  invocation: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  const { query, json } = invocation;
  const asked = query.has("status");
  const paint = painter(terminal.colours);
  const path = query.size === 0 ? "members" : `members?${query}`;
  if (!invocation.watch) {
    const { text } = await client.ask(path);
    const members = sorted(readMembers(text));
    await printUnlessClosed(
      terminal,
      json ? `${jsonLine(text)}\n` : `${tableLines(members, { paint }).join("\n")}\n`,
    );
    // A tag that nobody has is misspelled, or all who had it are forgotten; of a status one may hope for nobody.
    const isNobody = members.length === 0 && !asked;
    const isFine = !isNobody &&
      members.every(({ status }) => status === "live" || (!asked && !isTrouble(status)));
    return isFine ? EXIT.fine : EXIT.not;
  }
  let drawn = false;
  await drawChanges(client, terminal, async (lost) => {
    const { text } = await client.ask(path);
    const members = sorted(readMembers(text));
    if (json) return await terminal.print(`${jsonLine(text)}\n`);
    if (!terminal.isTerminal) {
      const lines = tableLines(members, { paint });
      await terminal.print(`${drawn ? "\n" : ""}${lines.join("\n")}\n`);
    } else {
      const { columns, rows } = terminal.size();
      const room = Math.max(1, rows - ROWS_FREE);
      const lines = tableLines(members.slice(0, room), { paint, columns });
      if (members.length > room) lines.push(`... and ${members.length - room} more`);
      if (lost !== undefined) lines.push(`lost ${client.name}: ${lost}`);
      // Over what is there, line by line, so that nothing flickers.
      const clear = drawn ? "\x1b[H" : "\x1b[2J\x1b[H";
      await terminal.print(`${clear}${lines.join("\x1b[K\n")}\x1b[K\n\x1b[J`);
    }
    drawn = true;
  });
  return EXIT.fine;
}

async function changeTags(
  { query }: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  const { text } = await client.ask(`tag?${query}`, { method: "POST" });
  await printUnlessClosed(terminal, `${tagWords(readTagsAnswer(text)).join(" ")}\n`);
  return EXIT.fine;
}

async function showStory({ operand: id }: Invocation, client: Client, terminal: Terminal) {
  const story = await findStory(id, client);
  if (story === undefined) throw new CallError(EXIT.not, unknownWords(id, client));
  await printUnlessClosed(terminal, storyText(story, painter(terminal.colours)));
  return story.status === "live" ? EXIT.fine : EXIT.not;
}

async function forget(
  { operand: id }: Invocation,
  client: Client,
  terminal: Terminal,
): Promise<number> {
  await change(`forget?id=${encodeURIComponent(id)}`, {
    client,
    terminal,
    about: id,
    missing: unknownWords(id, client),
    // 409: it is neither dead nor left.
    not: [404, 409, 507],
  });
  return EXIT.fine;
}

async function clientFor({ base, keyFile, keyText, caFile }: NodeTarget): Promise<Client> {
  const text = keyFile === undefined ? keyText : await read("-key-file", keyFile);
  const ca = caFile === undefined ? undefined : await read("-tls-ca", caFile);
  const trouble = ca === undefined ? undefined : authoritiesTrouble(ca);
  if (trouble !== undefined) {
    throw new CallError(EXIT.wrong, `Cannot use -tls-ca ${caFile}: it ${trouble}`);
  }
  try {
    const [key] = text === undefined ? [] : parseKeys(text, keyFile ?? KEY_VARIABLE);
    return new Client({ base, key, ca });
  } catch (error) {
    throw error instanceof KeyError ? new CallError(EXIT.wrong, error.message) : error;
  }
}

async function read(flag: string, path: string): Promise<string> {
  try {
    return await readText(path, FILE_BYTES_MAX);
  } catch (error) {
    const text = errorText(error);
    // A right that this program was started without: main() says so.
    if (error instanceof Deno.errors.NotCapable && text === error.message) throw error;
    throw new CallError(EXIT.wrong, `Cannot read ${flag} ${path}: ${firstLine(text)}`);
  }
}
