/**
 * The verdict on every member: derives each status from the table, the evidence and the time, and tells each change
 * with its reason in words.
 *
 * @module
 */
import { witnessesNeeded } from "./charges.ts";
import type { RunningClock } from "./clock.ts";
import type { Evidence, Standing } from "./evidence.ts";
import { reasonOf, type Shown } from "./reasons.ts";
import { ageOf, isUp, type Row, type Status, statusWhileUp, type Table } from "./table.ts";

/** One change of a member's status, as this node saw it. */
export interface StatusChange {
  readonly id: string;
  readonly address: string;
  /** Null: the member was not in the table before. */
  readonly from: Status | null;
  readonly to: Status;
  /** Why, in words. */
  readonly reason: string;
  /** Ms since the last heartbeat; null: never heard from. */
  readonly ageMs: number | null;
}

/** Whether a member came, or came back: one that only fails, or does no more, was there. */
export function isComing({ from, to }: StatusChange): boolean {
  return isUp(to) && (from === to || from === null || !isUp(from));
}

/** What a survey of the whole table found. */
export interface Survey {
  readonly changes: StatusChange[];
  /** Live and failing members other than this node, with an address. */
  readonly live: Row[];
  /** Unresponsive members with an address. */
  readonly hung: Row[];
  /** Dead and left members with an address: each may have come back. */
  readonly gone: Row[];
  /** The running time at which the next verdict may fall due. */
  readonly deadlineMs: number;
}

/** When this node heard of a member, and through whom. */
interface Occasion {
  readonly nowMs: number;
  readonly via: string;
}

export interface VerdictsOptions {
  readonly id: string;
  readonly table: Table;
  readonly evidence: Evidence;
  /** Tells when this node just woke from a stall, and when from a long one. */
  readonly clock: Pick<RunningClock, "isWaking" | "longSleepMs">;
}

export class Verdicts {
  readonly #options: VerdictsOptions;
  readonly #shown = new Map<string, Shown>();
  readonly #touched = new Map<string, string>();
  #lastReason = "";
  #last: Survey = { changes: [], live: [], hung: [], gone: [], deadlineMs: Infinity };

  constructor(options: VerdictsOptions) {
    this.#options = options;
  }

  /** What the last survey found. */
  get last(): Survey {
    return this.#last;
  }

  /** Members that gossip, as the last survey found, this node among them. */
  get liveCount(): number {
    return this.#last.live.length + 1;
  }

  /** The live, failing or unresponsive member at an address. */
  memberAt(address: string): Row | undefined {
    const { live, hung } = this.#last;
    const isThere = (row: Row) => row.address === address;
    return live.find(isThere) ?? hung.find(isThere);
  }

  /** The same, or a dead member there. */
  anyAt(address: string): Row | undefined {
    return this.memberAt(address) ??
      this.#last.gone.find((row) => row.address === address && row.left === "");
  }

  statusOf(row: Row, nowMs: number): Status {
    return this.#statusOf(row, this.#shown.get(row.id), nowMs);
  }

  #statusOf(row: Row, shown: Shown | undefined, nowMs: number): Status {
    const { id, evidence, clock } = this.#options;
    if (row.id === id && row.left === "") return statusWhileUp(row);
    const status = evidence.statusOf(row, this.#standing(shown, nowMs));
    // Others that slept as well tell old ages and old evidence: this node hears what they missed before it accuses.
    const accuses = status === "dead" || status === "unresponsive";
    const isHeld = clock.isWaking && accuses && isUp(shown?.status ?? "unknown");
    return isHeld ? statusWhileUp(row) : status;
  }

  #standing(shown: Shown | undefined, nowMs: number): Standing {
    const witnessesNeeded = this.witnessesNeeded();
    const isShownDead = shown?.status === "dead";
    const isShownSilent = isShownDead || shown?.status === "unresponsive";
    return { nowMs, witnessesNeeded, isShownDead, isShownSilent };
  }

  /** Whether a member looks live only as this node slept for long: all others may have forgotten it by now. */
  isOfSleep(row: Row, nowMs: number): boolean {
    const { id, clock } = this.#options;
    return row.heardAtMs <= clock.longSleepMs && row.id !== id && isUp(this.statusOf(row, nowMs));
  }

  /** Witnesses that would convict a member now: those of the live members, without itself. */
  witnessesNeeded(): number {
    return witnessesNeeded(this.liveCount - 1);
  }

  /** Marks a member whose row changed, as `via` told, for the next review. */
  touch(row: Row, via: string): void {
    const shown = this.#shown.get(row.id);
    const settled = shown?.status === statusWhileUp(row) && shown.boot === row.boot &&
      row.left === "";
    if (!settled) this.#touched.set(row.id, via);
  }

  /** Marks a member that was charged or decommissioned. */
  touchId(id: string, via: string): void {
    this.#touched.set(id, via);
  }

  /** Forgets a member that the table holds no more. */
  forget(id: string): void {
    this.#shown.delete(id);
    this.#touched.delete(id);
  }

  /** Gives the verdict on each member marked since the last review. */
  review(nowMs: number): StatusChange[] {
    if (this.#touched.size === 0) return [];
    const changes: StatusChange[] = [];
    for (const [id, via] of this.#touched) {
      const row = this.#options.table.get(id);
      const change = row === undefined
        ? this.#checkTombstone(id, nowMs)
        : this.#check(row, this.#shown.get(id), { nowMs, via });
      if (change !== undefined) changes.push(change);
    }
    this.#touched.clear();
    return changes;
  }

  /** Gives the verdict on every member. */
  survey(nowMs: number): Survey {
    const { id, table, evidence } = this.#options;
    const changes = this.review(nowMs);
    table.disturb(evidence.members());
    const { rows, heardAtMs, steady } = table.stamps();
    const silenceMs = evidence.usualSilenceMs;
    const live: Row[] = [];
    const hung: Row[] = [];
    const gone: Row[] = [];
    let isNews = false;
    let deadlineMs = Infinity;
    const at = { nowMs, witnessesNeeded: this.witnessesNeeded() };
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (steady[i] === 1 && nowMs - heardAtMs[i]! <= silenceMs) {
        deadlineMs = Math.min(deadlineMs, heardAtMs[i]! + silenceMs);
        live.push(row);
        continue;
      }
      steady[i] = 0;
      const shown = this.#shown.get(row.id);
      const change = this.#check(row, shown, { nowMs, via: row.id });
      if (change !== undefined) changes.push(change);
      const status = change?.to ?? shown!.status;
      const dueMs = evidence.dueMs(row, status, at);
      evidence.expire(row, nowMs);
      if (row.id === id) continue;
      // What is overdue is held back until this node is awake: it is decided at the next round.
      if (dueMs >= nowMs && dueMs < deadlineMs) deadlineMs = dueMs;
      if (row.address === "" || status === "unknown") continue;
      (isUp(status) ? live : status === "unresponsive" ? hung : gone).push(row);
      if (!isUp(status)) continue;
      isNews = true;
      if (row.boot !== "" && !evidence.has(row.id)) steady[i] = 1;
    }
    // All that are live were so before: the same list tells whoever keeps more about them that it still holds.
    const isSame = !isNews && live.length === this.#last.live.length;
    return this.#last = { changes, live: isSame ? this.#last.live : live, hung, gone, deadlineMs };
  }

  #check(row: Row, shown: Shown | undefined, at: Occasion): StatusChange | undefined {
    const { nowMs, via } = at;
    const to = this.#statusOf(row, shown, nowMs);
    if (shown === undefined) {
      this.#shown.set(row.id, { status: to, boot: row.boot });
    } else {
      const restarted = shown.boot !== row.boot && shown.boot !== "";
      if (shown.status === to && !(restarted && isUp(to))) {
        shown.boot = row.boot;
        return undefined;
      }
    }
    const { id: ownId, evidence } = this.#options;
    const standing = this.#standing(shown, nowMs);
    const change = {
      id: row.id,
      address: row.address,
      from: shown?.status ?? null,
      to,
      reason: this.#shared(reasonOf(row, { ownId, to, shown, via, evidence, standing })),
      ageMs: row.heartbeat === 0 ? null : ageOf(row, nowMs),
    };
    if (shown !== undefined) {
      shown.status = to;
      shown.boot = row.boot;
    }
    return change;
  }

  /** The very text of the last change where it is equal: of a table that fills, each member's story keeps one. */
  #shared(reason: string): string {
    return this.#lastReason = reason === this.#lastReason ? this.#lastReason : reason;
  }

  #checkTombstone(id: string, nowMs: number): StatusChange | undefined {
    const tombstone = this.#options.table.tombstone(id);
    const shown = this.#shown.get(id);
    if (tombstone === undefined || shown?.status === "decommissioned") return undefined;
    this.#shown.set(id, { status: "decommissioned", boot: "" });
    const { address, by, heartbeat } = tombstone;
    return {
      id,
      address,
      from: shown?.status ?? null,
      to: "decommissioned",
      reason: by === ""
        ? "decommissioned, told by a Go node"
        : `decommissioned by request to ${by}`,
      ageMs: heartbeat === 0 ? null : ageOf(tombstone, nowMs),
    };
  }
}
