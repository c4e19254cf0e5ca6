/**
 * Two members that give one address, told apart from a member whose port a new process took.
 *
 *     a process started again        the old member makes no heartbeat any more: evidence that it ended
 *     under a new ID
 *     cloned hosts, `localhost`,     both members go on beating: no evidence. One line in the log names both, as calls
 *     one name for all               to that address reach one of them at best
 *
 * @module
 */
import { isLoopback, parseAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import { notice, type Turn } from "./effects.ts";
import type { Pace } from "./pace.ts";
import type { Replica } from "./replica.ts";
import type { Row } from "./table.ts";

/**
 * Two members of one address both run if each made a heartbeat later than this many intervals after the second came.
 * Less would not do: ages are rounded down, so the last heartbeat of a member that ended seems a little later than it
 * was.
 */
const BOTH_RUN_INTERVALS = 2;

/** Members of one address that are looked at: more than two give it by mistake, or are forged. */
const MEMBERS_AT_MAX = 8;

/** Members remembered that answered elsewhere than at their address; past it, it is noted anew. */
const ELSEWHERE_MAX = 256;

export interface ClaimsOptions {
  readonly id: string;
  /** This node's own address. */
  readonly address: string;
  readonly pace: Pick<Pace, "longestIntervalMs">;
  readonly replica: Replica;
  readonly calls: Calls;
}

interface Claim {
  readonly address: string;
  readonly boot: string;
  /** The running time at which this node first saw this process live at this address. */
  readonly sinceMs: number;
}

export class Claims {
  readonly #options: ClaimsOptions;
  /** By ID, of live members, this node among them. */
  readonly #claims = new Map<string, Claim>();
  /** By the address that it gives its peers, who answered where while a call there had failed last. */
  readonly #elsewhere = new Map<string, { readonly id: string; readonly to: string }>();
  /** The list of live members that was looked at last. */
  #noted: readonly Row[] | undefined;
  /** Of these, those that give this node's address. */
  #atOwn: readonly Row[] = [];

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Takes what the last survey found, and tells of a member that gives this node's address as its own. */
  surveyed(turn: Turn): void {
    const { id, address, replica } = this.#options;
    const own = replica.table.get(id);
    const { live } = replica.verdicts.last;
    if (live !== this.#noted) {
      this.#noted = live;
      const running = own === undefined ? live : [own, ...live];
      for (const row of running) this.#note(row, turn.nowMs);
      if (this.#claims.size > running.length) {
        const ids = new Set(running.map((row) => row.id));
        for (const id of this.#claims.keys()) if (!ids.has(id)) this.#claims.delete(id);
      }
      this.#atOwn = this.#membersAt(address);
    }
    if (own === undefined) return;
    for (const row of this.#atOwn) {
      if (!this.#bothRun(row, own)) continue;
      this.#tell(turn, address, `${row.id} gives its peers this node's address, ${address}`);
    }
  }

  /**
   * The live members that lost their port, as `holder` answers at their address. Not those that run all the same,
   * which are told of; nor those that came later than `holder`: that is no process which took a port.
   */
  replaced(turn: Turn, address: string, holder: string): Row[] {
    const { id, replica } = this.#options;
    const holding = replica.table.get(holder);
    const lost: Row[] = [];
    for (const row of this.#membersAt(address)) {
      if (row.id === holder) continue;
      const sinceMs = this.#claims.get(holder)?.sinceMs ?? Infinity;
      if (holding !== undefined && this.#bothRun(row, holding)) {
        const who = holder === id ? "this node" : holder;
        const text = `${who} answers at ${address}, the address that ${row.id} gives its peers`;
        this.#tell(turn, address, text);
      } else if (this.#claims.get(row.id)!.sinceMs <= sinceMs) {
        lost.push(row);
      }
    }
    return lost;
  }

  /** The live members whose port is closed, as a call was refused: which of several that run had it is not known. */
  refused(address: string): Row[] {
    const members = this.#membersAt(address);
    return members.filter((row) =>
      !members.some((other) => other !== row && this.#bothRun(row, other))
    );
  }

  /** Member `id` answered at `to`, which may not be the address that it gives its peers. */
  answered(id: string, to: string): void {
    const { replica, calls } = this.#options;
    const address = replica.table.get(id)?.address ?? "";
    if (address === to || !calls.isTroubled(address)) return;
    if (this.#elsewhere.size >= ELSEWHERE_MAX) this.#elsewhere.clear();
    this.#elsewhere.set(address, { id, to });
  }

  /**
   * A call to `to` failed. Tells of a member that answered elsewhere since, as only it can resolve its name: not at
   * that answer, as it may have been down until then. Returns what to add to the failure where that can be no other
   * host's address; else an empty text.
   */
  failed(turn: Turn, to: string): string {
    const { address, replica, calls } = this.#options;
    const elsewhere = this.#elsewhere.get(to);
    this.#elsewhere.delete(to);
    if (elsewhere && calls.isTroubled(to) && calls.trouble(`alias ${elsewhere.to}`)) {
      const where = `${elsewhere.id} answers at ${elsewhere.to}, but not at ${to}`;
      const advice = "start it with -advertise and a name or address that they can reach";
      notice(turn, "warn", `${where}, the address it gives its peers: ${advice}`);
    }
    // A node that gives such an address itself is one of several on one host.
    if (!leadsHome(to) || leadsHome(address)) return "";
    const row = replica.verdicts.memberAt(to);
    if (row === undefined) return "";
    return `; ${row.id} gives its peers this address, which leads to this host itself: ` +
      "if it runs elsewhere, start it with -advertise";
  }

  #note(row: Row, nowMs: number): void {
    const { id, address, boot } = row;
    const claim = this.#claims.get(id);
    if (claim !== undefined && claim.address === address && claim.boot === boot) return;
    this.#claims.set(id, { address, boot, sinceMs: nowMs });
  }

  /** The live members of an address, of too many the first. */
  #membersAt(address: string): Row[] {
    const members: Row[] = [];
    for (const row of this.#options.replica.verdicts.last.live) {
      // The row first, as most are elsewhere: a look into the claims takes longer.
      if (row.address !== address || this.#claims.get(row.id)?.address !== address) continue;
      if (members.push(row) === MEMBERS_AT_MAX) break;
    }
    return members;
  }

  #bothRun(a: Row, b: Row): boolean {
    const [one, other] = [this.#claims.get(a.id), this.#claims.get(b.id)];
    if (one === undefined || other === undefined) return false;
    const graceMs = BOTH_RUN_INTERVALS * this.#options.pace.longestIntervalMs;
    const settledMs = Math.max(one.sinceMs, other.sinceMs) + graceMs;
    return Math.min(a.heardAtMs, b.heardAtMs) > settledMs;
  }

  #tell(turn: Turn, address: string, text: string): void {
    if (!this.#options.calls.trouble(`shared ${address}`)) return;
    const advice = "start each with -advertise and a name or address that leads to it alone";
    notice(turn, "warn", `${text}: ${advice}`);
  }
}

function leadsHome(address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && isLoopback(parsed.host);
}
