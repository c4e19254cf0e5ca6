/**
 * Members, stories and changes as a terminal shows them, of answers that were checked. (pure)
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { type ListedMember, type StoryView, tableText } from "../report/members.ts";
import { type ChangeView, HISTORY_MAX } from "../report/stories.ts";
import { type Status, STATUSES } from "../table.ts";
import {
  ageWords,
  changeWords,
  secondWords,
  timeWords,
  toldWords,
  uptimeWords,
} from "../../static/words.js";

/** How a text is written for its status: in colour, or as it is. */
export type Paint = (status: Status, text: string) => string;

/** Statuses after this one are those of members that ended as planned. */
const LIVE = STATUSES.indexOf("live");

/** Colours by number. */
const [RED, GREEN, YELLOW, DIM] = [31, 32, 33, 2];

/** A status that this version does not know comes first: it may be trouble. */
function rankOf(status: Status): number {
  return STATUSES.indexOf(status);
}

/** Whether a member in this status should not be: it is not live, and did not end as planned. */
export function isTrouble(status: Status): boolean {
  return rankOf(status) < LIVE;
}

export function painter(colours: boolean): Paint {
  return (status, text) => colours ? `\x1b[${colourOf(status)}m${text}\x1b[0m` : text;
}

function colourOf(status: Status): number {
  if (status === "dead") return RED!;
  if (status === "live") return GREEN!;
  return isTrouble(status) ? YELLOW! : DIM!;
}

/** Members trouble first, then by ID. */
export function sorted(members: readonly ListedMember[]): ListedMember[] {
  return members.toSorted((a, b) =>
    rankOf(a.status) - rankOf(b.status) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Members as lines under a heading, each cut to `columns` if there is a limit. */
export function tableLines(
  members: readonly ListedMember[],
  { paint, columns = Infinity }: { paint: Paint; columns?: number },
): string[] {
  const [heading = "", ...lines] = tableText(members).trimEnd().split("\n");
  const at = heading.indexOf("STATUS");
  const painted = lines.map((line, i) => {
    const { status } = members[i]!;
    const shown = line.slice(0, columns);
    const end = at + status.length;
    return shown.slice(0, at) + paint(status, shown.slice(at, end)) + shown.slice(end);
  });
  return [heading.slice(0, columns), ...painted];
}

/** A member and its last changes; ends in a line feed. */
export function storyText(story: StoryView, paint: Paint): string {
  const { id, status, since, reason, address, ageMs, history, told } = story;
  const lines = [
    `${id} is ${paint(status, status)}${since === null ? "" : ` since ${secondWords(since)}`}`,
    `  why      ${reason ?? "not known"}`,
    `  address  ${address || "not known"}`,
    `  heard    ${ageWords(ageMs)}`,
  ];
  const tags = tagWords(story.tags).join(" ");
  if (tags !== "") lines.push(`  tags     ${tags}`);
  if (story.remark !== null) lines.push(`  remark   ${story.remark}`);
  const uptime = uptimeWords(story.uptime);
  if (uptime !== "") lines.push(`  uptime   ${uptime}`);
  const changes = history.slice(-HISTORY_MAX);
  const width = Math.max(0, ...changes.map(({ to }) => to.length));
  for (const change of changes) {
    const to = paint(change.to, change.to.padEnd(width));
    lines.push(`${timeWords(change.at)}  ${to}  ${changeWords(change)}`);
  }
  if (changes.length > 0) lines.splice(-changes.length, 0, "");
  if (told.length > 0) lines.push("");
  for (const each of told) lines.push(toldWords(each, secondWords(each.at)));
  return `${lines.join("\n")}\n`;
}

/** A change as one line of words with one blank between them; the reason comes last, and may have more. */
export function changeLine(
  { at, id, from, to, address, reason }: Omit<ChangeView, "event" | "tags">,
): string {
  return `${at} ${id} ${from ?? "-"} ${to} ${address || "-"} ${reason}\n`;
}
