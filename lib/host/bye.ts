/**
 * What `/bye` and `/forget` answer, in a line. (pure)
 *
 * @module
 */
import type { Forgot } from "../forgotten.ts";
import type { Decommissioned } from "../leaving.ts";
import type { Status } from "../table.ts";

export interface RequestAnswer {
  readonly status: 200 | 400 | 404 | 409 | 502 | 507;
  readonly text: string;
}

/** For an ID that this node's table does not have, which nobody said is meant: a typing error would burn an ID. */
export function unknownAnswer(id: string): RequestAnswer {
  const text = `No member is decommissioned, as ${id} is not known here: see /members. ` +
    `If you mean it all the same, ask for /bye?id=${id}&unknown=yes`;
  return { status: 404, text };
}

/** For a decommission that was asked for; `unsaved` says why it is not in the state file. */
export function byeAnswer(
  id: string,
  done: { outcome: Decommissioned; known: boolean; unsaved: string | undefined },
): RequestAnswer {
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

/** For a request to forget a member; `status` is what it has, where it is not forgotten. */
export function forgetAnswer(
  id: string,
  done: { outcome: Forgot; status: Status | undefined; unsaved: string | undefined },
): RequestAnswer {
  const { outcome, status, unsaved } = done;
  if (unsaved !== undefined) {
    const text = `${id} is forgotten, but a restart may bring it back`;
    return { status: 507, text: `${text}: ${unsaved}` };
  }
  switch (outcome) {
    case "done":
      return { status: 200, text: `${id} is forgotten; if it starts again, it is a new member` };
    case "already":
      return { status: 200, text: `${id} was forgotten before` };
    case "unknown":
      return { status: 404, text: `No member named '${id}': see /members` };
    case "here": {
      const instead = status === "decommissioned" ? "" : "; to end it for good, ask for /bye";
      const text = `Cannot forget ${id}: it is ${status}, and only dead and left members can be`;
      return { status: 409, text: `${text}${instead}` };
    }
  }
}
