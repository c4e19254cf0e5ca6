/**
 * What users ask of a node, answered in a line: that a member is decommissioned or forgotten, that hooks say nothing of
 * some, and that a hook is tried.
 *
 * @module
 */
import { wordsOf } from "../about.ts";
import type { Moment } from "../clock.ts";
import type { Effect } from "../effects.ts";
import type { Gossip } from "../gossip.ts";
import { quietLine, quietMs, quietUntil, quietViews } from "../report/quiet.ts";
import type { Status } from "../table.ts";
import { secondWords } from "../../static/words.js";
import { byeAnswer, forgetAnswer, type RequestAnswer, unknownAnswer } from "./bye.ts";
import type { StateFile } from "./state_file.ts";
import type { Teller } from "./teller.ts";

export interface RequestsOptions {
  /** This node's ID. */
  readonly id: string;
  /** Enters the core. */
  readonly enter: <T extends { readonly effects: readonly Effect[] }>(
    entry: (gossip: Gossip, now: Moment) => T,
  ) => T;
  /** The status of a member; undefined if it is not known. */
  readonly statusOf: (id: string) => Status | undefined;
  readonly state: StateFile | undefined;
  /** Undefined where this node has no hooks. */
  readonly teller: Pick<Teller, "test" | "names"> | undefined;
  readonly wallMs: () => number;
}

/** Whom hooks are to say nothing of. */
export interface QuietRequest {
  /** An ID, in which any `*` stands for any characters. */
  readonly pattern: string;
  /** 0 ends it. */
  readonly forMs: number;
  readonly why: string;
}

export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * Decommissions `id`, if it is known or `unknown` ones are meant too; says in one line what was done, once it is in
   * the state file, where there is one.
   */
  async bye(id: string, { unknown }: { unknown: boolean }): Promise<RequestAnswer> {
    const { statusOf, enter, state } = this.#options;
    const known = statusOf(id) !== undefined;
    if (!known && !unknown) return unknownAnswer(id);
    const { outcome } = enter((gossip, now) => gossip.decommission(now, id));
    const unsaved = outcome === "full" ? undefined : await state?.saveInTime();
    return byeAnswer(id, { outcome, known, unsaved });
  }

  /** Drops `id` from all tables if it is dead or left; says in one line what was done. */
  async forget(id: string): Promise<RequestAnswer> {
    const { statusOf, enter, state } = this.#options;
    const { outcome } = enter((gossip, now) => gossip.forget(now, id));
    const status = statusOf(id);
    const unsaved = outcome === "done" ? await state?.saveInTime() : undefined;
    return forgetAnswer(id, { outcome, status, unsaved });
  }

  /** Keeps the hooks of all nodes from telling of some members. */
  quiet({ pattern, forMs: wishedMs, why }: QuietRequest): RequestAnswer {
    const { id, enter, wallMs } = this.#options;
    const forMs = quietMs(wishedMs, wallMs());
    const asked = { pattern, forMs, why: wordsOf(why), by: id };
    const { outcome, rest } = enter((gossip, now) => {
      const answered = gossip.quiet(now, asked);
      const views = quietViews(gossip, wallMs());
      return { ...answered, rest: quietLine(views, new Date(wallMs()).toISOString()) };
    });
    switch (outcome) {
      case "done": {
        if (forMs === 0) return { status: 200, text: endedWords(pattern, rest) };
        const until = secondWords(quietUntil(forMs, wallMs()));
        return { status: 200, text: `no hook tells of ${pattern} until ${until}` };
      }
      case "full": {
        const text = `Cannot be quiet about ${pattern}: hooks are about too many already`;
        return { status: 507, text: `${text}; end one by for=0` };
      }
      case "invalid":
        return { status: 400, text: QUIET_USAGE };
    }
  }

  /** Tries a hook of this node with a made-up change. */
  async testHook(name: string): Promise<RequestAnswer> {
    const { teller } = this.#options;
    const run = await teller?.test(name);
    if (run === undefined) {
      const names = teller === undefined ? "none: see -on-change" : teller.names.join(", ");
      return { status: 404, text: `This node has no hook '${name}'; it has ${names}` };
    }
    const { done, words } = run;
    return done
      ? { status: 200, text: `${name} took it: ${words}` }
      : { status: 502, text: `${name} did not take it: ${words}` };
  }
}

/** Another quiet may cover the same members, or be the one that was meant: those that last are named. */
function endedWords(pattern: string, rest: string): string {
  return rest === ""
    ? `hooks tell of ${pattern} again`
    : `there is no quiet of ${pattern} now. ${rest}`;
}

/** How to ask for silence. */
export const QUIET_USAGE = "Give whom hooks are to say nothing of, and how long: " +
  "/quiet?id=web*&for=2h&why=deploy, for=0 to end it";
