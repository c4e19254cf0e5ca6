/**
 * What `/bye` answers, in a line. (pure)
 *
 * @module
 */
import type { Decommissioned } from "../leaving.ts";

export interface ByeAnswer {
  readonly status: 200 | 404 | 507;
  readonly text: string;
}

/** For an ID that this node's table does not have, which nobody said is meant: a typing error would burn an ID. */
export function unknownAnswer(id: string): ByeAnswer {
  const text = `No member is decommissioned, as ${id} is not known here: see /members. ` +
    `If you mean it all the same, ask for /bye?id=${id}&unknown=yes`;
  return { status: 404, text };
}

/** For a decommission that was asked for; `unsaved` says why it is not in the state file. */
export function byeAnswer(
  id: string,
  done: { outcome: Decommissioned; known: boolean; unsaved: string | undefined },
): ByeAnswer {
  const { outcome, known, unsaved } = done;
  if (unsaved !== undefined) {
    const text = `${id} is decommissioned here, and others are told, but it is not safe on disk`;
    return { status: 507, text: `${text}: ${unsaved}; ask again, or ask another node` };
  }
  if (outcome === "full") {
    return { status: 507, text: `Cannot decommission ${id}: the table of tombstones is full` };
  }
  if (outcome === "already") return { status: 200, text: `${id} was decommissioned before` };
  const unknown = known ? "" : ", though it was not known here";
  return { status: 200, text: `${id} is decommissioned for good${unknown}` };
}
