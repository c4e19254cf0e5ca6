/**
 * Commands that go on: `members -watch` and `events`.
 *
 * @module
 */
import { pause } from "../net/deadline.ts";
import type { ChangeView } from "../report/stories.ts";
import { MEMBERS_MAX, TOMBSTONES_MAX } from "../limits.ts";
import type { ListedMember } from "../report/members.ts";
import type { Status } from "../table.ts";
import { readChange, readMembers } from "./read.ts";
import { CallError, type Client, EXIT } from "./client.ts";
import { follow, type StreamUpdate } from "./follow.ts";
import { changeLine } from "./show.ts";
import type { Terminal } from "./terminal.ts";

/** Changes within this time are drawn together: a person reads no faster, and a node has others to answer. */
const DRAW_GAP_MS = 250;

/** On a terminal the ages are drawn anew this often. */
const DRAW_EVERY_MS = 2_000;

/** Members whose last status is kept, to tell after a loss what was missed: a full table. */
const KNOWN_MAX = MEMBERS_MAX + TOMBSTONES_MAX;

/** Draws at once and after each change; `draw` gets why the node cannot be heard, if so. Ends only by an error. */
export async function drawChanges(
  client: Client,
  terminal: Terminal,
  draw: (lost: string | undefined) => Promise<void>,
): Promise<never> {
  const over = new AbortController();
  const { signal } = over;
  let lost: string | undefined;
  let changed = Promise.withResolvers<void>();
  let failure: { readonly error: unknown } | undefined;
  const following = async () => {
    for await (const update of follow(client, { signal })) {
      if (signal.aborted) return;
      lost = noteLoss(terminal, client, update, lost);
      changed.resolve();
    }
  };
  following().catch((error) => {
    failure = { error };
    changed.resolve();
  });
  try {
    for (;;) {
      const tick = terminal.isTerminal ? [pause(DRAW_EVERY_MS, signal)] : [];
      await Promise.race([changed.promise, ...tick]);
      if (failure !== undefined) throw failure.error;
      changed = Promise.withResolvers();
      try {
        await draw(lost);
      } catch (error) {
        // The stream will end as well, and say why.
        if (!(error instanceof CallError) || error.status === EXIT.wrong) throw error;
      }
      await pause(DRAW_GAP_MS, signal);
    }
  } finally {
    over.abort();
  }
}

/** Prints one line per change. Ends only by an error. */
export async function printChanges(client: Client, terminal: Terminal): Promise<void> {
  let known = new Map<string, Status>();
  let begun = false;
  let lost: string | undefined;
  const { signal } = new AbortController();
  for await (const update of follow(client, { signal })) {
    lost = noteLoss(terminal, client, update, lost);
    if (update.kind !== "event") continue;
    const { type, data } = update.event;
    if (type === "snapshot") {
      const members = readMembers(data);
      if (begun) await terminal.print(missed(members, known).map(changeLine).join(""));
      begun = true;
      known = new Map(members.map(({ id, status }) => [id, status]));
    } else if (type === "change") {
      const change = readChange(data);
      if (known.has(change.id) || known.size < KNOWN_MAX) known.set(change.id, change.to);
      await terminal.print(changeLine(change));
    }
  }
}

/** What changed between two snapshots, as far as the second tells. */
export function missed(
  members: readonly ListedMember[],
  known: ReadonlyMap<string, Status>,
): Omit<ChangeView, "event" | "tags">[] {
  return members.flatMap(({ id, address, status, since, reason }) => {
    const from = known.get(id) ?? null;
    if (from === status) return [];
    return [{ id, address, from, to: status, at: since ?? "-", reason: reason ?? "" }];
  });
}

/** Says once that the node is lost, and once that it is back; returns why it is lost now. */
function noteLoss(
  terminal: Terminal,
  { name }: Client,
  update: StreamUpdate,
  lost: string | undefined,
): string | undefined {
  if (update.kind === "lost" && lost === undefined) {
    terminal.note(`gossiper: lost ${name}, and looks for it: ${update.why}`);
  }
  if (update.kind === "open" && lost !== undefined) {
    terminal.note(`gossiper: ${name} answers again`);
  }
  return update.kind === "lost" ? update.why : update.kind === "open" ? undefined : lost;
}
