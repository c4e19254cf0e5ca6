/**
 * What `why`, `bye` and `forget` share: one member with its story, or the line that the node knows no such member.
 *
 * @module
 */
import type { StoryView } from "../report/members.ts";
import type { Client } from "./client.ts";
import { readStory } from "./read.ts";

/** A member with its history; undefined if the node knows none of that ID. */
export async function findStory(id: string, client: Client): Promise<StoryView | undefined> {
  // As a query: clients take the IDs `.` and `..` out of a path.
  const path = `members?id=${encodeURIComponent(id)}`;
  const { status, text } = await client.ask(path, { also: [404], about: id });
  return status === 404 ? undefined : readStory(text);
}

/** Says that the node has no such member. */
export function unknownWords(id: string, { name }: Client): string {
  return `${name} knows no member ${id}`;
}
