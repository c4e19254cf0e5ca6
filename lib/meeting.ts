/**
 * How a node that joins comes to take part: whom it has met, whether it has seen enough of a table (see pieces.ts), and
 * whether another process has its ID.
 *
 * @module
 */
import type { Calls } from "./calls.ts";
import type { Contacts } from "./contacts.ts";
import { notice, type Turn } from "./effects.ts";
import type { Joining } from "./joining.ts";
import type { Rounds } from "./rounds.ts";
import type { Report } from "./table.ts";

/** Said of a node all of whose seeds are itself. A load balancer may lead its next call to another. */
const ALONE = "it has joined nobody, and tries again; with a cluster's first node nothing is wrong";

export interface MeetingOptions {
  readonly id: string;
  readonly contacts: Contacts;
  readonly calls: Calls;
  readonly joining: Joining;
  readonly rounds: Rounds;
  readonly random: () => number;
}

export class Meeting {
  readonly #options: MeetingOptions;

  constructor(options: MeetingOptions) {
    this.#options = options;
  }

  /** While joining: a table was seen, so take part from now on, unless this ID may be live elsewhere. */
  met(turn: Turn, own: Report | undefined): void {
    const { joining, calls, rounds } = this.#options;
    if (!joining.active) return;
    joining.sees(own);
    if (calls.isPulling) return;
    const askFirst = joining.meet();
    if (askFirst !== undefined) calls.push(turn, [askFirst]);
    else if (!joining.active) rounds.now(turn.now.monotonicMs);
  }

  /** This node's ID answered at `to`: it called itself by another name, or two nodes have one ID. */
  ownIdAt(turn: Turn, to: string, boot: string | undefined): void {
    const { joining, contacts, calls, id, random } = this.#options;
    contacts.metSelf(to, id, { monotonicMs: turn.now.monotonicMs, random });
    if (!joining.isTwin(boot)) {
      joining.cleared(to);
      // Every seed was this node itself: there is nobody to join, as far as it knows.
      if (joining.active && contacts.allAnswered) {
        joining.finish();
        notice(turn, "warn", `${to}, from -join, leads to this node itself: ${ALONE}`);
      }
      return;
    }
    const text = `ID '${id}' is in use by the node at ${to}: stop that node, or choose another -id`;
    if (joining.active) turn.effects.push({ kind: "stop", status: 1, text });
    else if (calls.trouble(`twin ${to}`)) notice(turn, "warn", text);
  }

  /** No twin is at `to`: a node that waited to know that takes part now. */
  noTwinAt(turn: Turn, to: string): void {
    if (this.#options.joining.cleared(to)) this.#options.rounds.now(turn.now.monotonicMs);
  }
}
