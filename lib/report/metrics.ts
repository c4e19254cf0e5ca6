/**
 * Counts a node's work, and turns the counts into the metrics of `GET /metrics`. (pure)
 *
 * @module
 */
import { type EndedExchange, EXCHANGE_OUTCOMES } from "../net/driver.ts";
import { counter, type Family, gauge, Histogram } from "./prometheus.ts";
import { isUp, type Status, STATUSES } from "../table.ts";
import type { ListedMember } from "./members.ts";
import { namedFamilies } from "./named.ts";
import type { StatusChange } from "../verdicts.ts";

/** In seconds: from an answer on the same host to the time-out. */
const EXCHANGE_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** In seconds: from the timers of an idle host to a process that does not get to run. */
const LATENESS_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** In seconds: from one hop to beyond dead-after. */
const NEWS_BOUNDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const LIMITS = ["table", "body", "streams"] as const;

/** Values read from other parts at the time of a request. */
export interface Readings {
  readonly members: readonly ListedMember[];
  /** This node hears nobody. */
  readonly cutOff: boolean;
  readonly contacts: number;
  readonly rounds: number;
  /** Grows with every change of the roster or the tombstones. */
  readonly tableVersion: number;
  /** Entries of messages that were dropped because they broke a rule. */
  readonly invalid: number;
  /** Entries of messages that were dropped because the table was full. */
  readonly full: number;
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number };
  readonly streams: number;
  readonly build: { readonly version: string; readonly deno: string };
  readonly process: {
    readonly cpuSeconds: number;
    readonly residentBytes: number;
    readonly startSeconds: number;
  };
}

export class Metrics {
  readonly #exchanges = { answered: 0, refused: 0, silent: 0, failed: 0 };
  readonly #exchangeSeconds = new Histogram(EXCHANGE_BOUNDS);
  readonly #lateSeconds = new Histogram(LATENESS_BOUNDS);
  readonly #newsSeconds = new Histogram(NEWS_BOUNDS);
  readonly #changes = zeroPerStatus();
  readonly #served = { exchanges: 0, bytesIn: 0, bytesOut: 0 };
  readonly #limits = { body: 0, streams: 0 };
  #bugs = 0;

  /** Counts a round that began so many ms after its time. */
  round(lateMs: number): void {
    this.#lateSeconds.observe(lateMs / 1000);
  }

  /** Counts a call that ended. */
  exchange({ outcome, tookMs }: EndedExchange): void {
    this.#exchanges[outcome]++;
    if (outcome === "answered") this.#exchangeSeconds.observe(tookMs / 1000);
  }

  /** Counts an exchange that another node started, with the lengths of its bodies in bytes. */
  served(bytesIn: number, bytesOut: number): void {
    this.#served.exchanges++;
    this.#served.bytesIn += bytesIn;
    this.#served.bytesOut += bytesOut;
  }

  change({ to, ageMs }: StatusChange): void {
    this.#changes[to]++;
    // A join, a return or a planned stop comes with a heartbeat, whose age is the time the news took to get here.
    if ((isUp(to) || to === "left") && ageMs !== null) this.#newsSeconds.observe(ageMs / 1000);
  }

  limitHit(limit: "body" | "streams"): void {
    this.#limits[limit]++;
  }

  /** Counts a broken rule of this program, or an unexpected error. */
  bug(): void {
    this.#bugs++;
  }

  families(now: Readings): Family[] {
    const members = zeroPerStatus();
    let oldestMs = 0;
    for (const { status, ageMs } of now.members) {
      members[status]++;
      if (isUp(status)) oldestMs = Math.max(oldestMs, ageMs ?? 0);
    }
    const { traffic, process } = now;
    return [
      gauge(
        "gossiper_members",
        "Members of the table by status.",
        byLabel("status", STATUSES, members),
      ),
      ...namedFamilies(now.members),
      gauge("gossiper_cut_off", "1 while this node hears nobody.", now.cutOff ? 1 : 0),
      counter(
        "gossiper_status_changes_total",
        "Changes of a member's status to this one.",
        byLabel("to", STATUSES, this.#changes),
      ),
      gauge(
        "gossiper_heartbeat_age_max_seconds",
        "Age of the oldest last heartbeat of a live member.",
        oldestMs / 1000,
      ),
      histogram(
        "gossiper_news_delay_seconds",
        "Time until a join, a return or a planned stop was known here.",
        this.#newsSeconds,
      ),
      counter("gossiper_rounds_total", "Rounds begun.", now.rounds),
      histogram(
        "gossiper_round_lateness_seconds",
        "Delay with which rounds began.",
        this.#lateSeconds,
      ),
      counter(
        "gossiper_exchanges_total",
        "Exchanges that this node started, by outcome.",
        byLabel("outcome", EXCHANGE_OUTCOMES, this.#exchanges),
      ),
      histogram(
        "gossiper_exchange_duration_seconds",
        "Time until an exchange that this node started was answered.",
        this.#exchangeSeconds,
      ),
      counter(
        "gossiper_exchange_sent_bytes_total",
        "Bytes sent in exchanges that this node started, HTTP heads included.",
        traffic.bytesOut,
      ),
      counter(
        "gossiper_exchange_received_bytes_total",
        "Bytes received in exchanges that this node started, HTTP heads included.",
        traffic.bytesIn,
      ),
      counter(
        "gossiper_served_exchanges_total",
        "Exchanges that other nodes started.",
        this.#served.exchanges,
      ),
      counter(
        "gossiper_served_received_bytes_total",
        "Bytes of bodies received in exchanges that other nodes started.",
        this.#served.bytesIn,
      ),
      counter(
        "gossiper_served_sent_bytes_total",
        "Bytes of bodies sent in exchanges that other nodes started.",
        this.#served.bytesOut,
      ),
      counter(
        "gossiper_merge_changes_total",
        "Changes of the roster and the tombstones.",
        now.tableVersion,
      ),
      counter(
        "gossiper_invalid_entries_total",
        "Entries of messages dropped because they broke a rule.",
        now.invalid,
      ),
      counter(
        "gossiper_limit_hits_total",
        "Entries, bodies and event streams refused because of a limit.",
        byLabel("limit", LIMITS, { table: now.full, ...this.#limits }),
      ),
      counter("gossiper_bugs_total", "Errors in this program that it noticed.", this.#bugs),
      gauge("gossiper_contacts", "Addresses at which no member has answered yet.", now.contacts),
      gauge("gossiper_event_streams", "Open event streams.", now.streams),
      gauge("gossiper_build_info", "Version of the program and of Deno, as labels; always 1.", [[{
        ...now.build,
      }, 1]]),
      counter("process_cpu_seconds_total", "User and system CPU time used.", process.cpuSeconds),
      gauge("process_resident_memory_bytes", "Resident memory.", process.residentBytes),
      gauge(
        "process_start_time_seconds",
        "Start of the process, in seconds since the epoch.",
        process.startSeconds,
      ),
    ];
  }
}

function zeroPerStatus(): Record<Status, number> {
  return Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
}

function histogram(name: string, help: string, samples: Histogram): Family {
  return { name, help, type: "histogram", samples };
}

function byLabel<Name extends string>(
  label: string,
  names: readonly Name[],
  values: Readonly<Record<Name, number>>,
): Family["samples"] {
  return names.map((name) => [{ [label]: name }, values[name]]);
}
