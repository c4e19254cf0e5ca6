/**
 * What a node tells people and scripts: the table, each member's story, the page, the events and the metrics. It
 * remembers
 * what the table forgets: who changed, when and why.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import { EventStreams } from "./events.ts";
import type { Gossip } from "../gossip.ts";
import type { Log } from "../log.ts";
import type { Exchange } from "../net/driver.ts";
import { Metrics } from "./metrics.ts";
import { metricsText } from "./prometheus.ts";
import { Stories } from "./stories.ts";
import { STRIP_STEP_MS, Strips } from "./strips.ts";
import { ageOf, type Status } from "../table.ts";
import {
  contactViews,
  type MembersView,
  memberViews,
  pageMembers,
  type PageView,
  type StoryView,
  storyView,
  tableText,
} from "./members.ts";
import type { Transport } from "../net/transport.ts";
import type { Change } from "../verdicts.ts";

/** At long intervals a strip's step is so many of them, so that none is without a round. */
const STRIP_STEP_INTERVALS = 2;

export interface ReportsOptions {
  readonly id: string;
  readonly address: string;
  /** 8 hex digits drawn when the process started. */
  readonly boot: string;
  readonly cluster: string;
  /** The cluster has a key. */
  readonly keyed: boolean;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** The program's. */
  readonly version: string;
  readonly now: () => Moment;
  readonly log: Log;
  readonly gossip: Gossip;
  readonly traffic: Transport["traffic"];
  /** Brings the table to the present. */
  readonly refresh: () => void;
}

export class Reports {
  readonly #options: ReportsOptions;
  readonly #startMs: number;
  readonly #stories = new Stories();
  readonly #strips: Strips;
  readonly #measures = new Metrics();
  readonly #events: EventStreams;

  constructor(options: ReportsOptions) {
    this.#options = options;
    const { boot, intervalMs, now } = options;
    const nowMs = () => now().monotonicMs;
    this.#startMs = nowMs();
    this.#strips = new Strips(Math.max(STRIP_STEP_MS, STRIP_STEP_INTERVALS * intervalMs));
    const snapshot = () => JSON.stringify(this.members());
    this.#events = new EventStreams({ boot, stories: this.#stories, snapshot, nowMs });
  }

  /** Takes a change of a member's status. */
  changed(change: Change): void {
    const { log, now } = this.#options;
    this.#stories.record(change, now().wallMs);
    this.#strips.sample(change.id, { status: change.to, ageMs: change.ageMs });
    this.#measures.change(change);
    this.#events.publish();
    log.change(change);
  }

  /** Takes a look at every member, once a round. */
  round(lateMs: number): void {
    const { gossip, now } = this.#options;
    this.#measures.round(lateMs);
    this.#strips.advance(now().monotonicMs);
    for (const row of gossip.replica.table.roster()) {
      const ageMs = row.heartbeat === 0 ? null : ageOf(row, gossip.nowMs);
      this.#strips.sample(row.id, { status: gossip.statusOf(row), ageMs });
    }
  }

  /** Takes an exchange that this node started. */
  exchanged(exchange: Exchange): void {
    this.#measures.exchange(exchange);
    const { to, outcome, tookMs } = exchange;
    this.#options.log.notice("debug", `called ${to}: ${outcome} in ${tookMs.toFixed(1)} ms`);
  }

  /** Takes an exchange that another node started, by the lengths of its bodies. */
  served(bytesIn: number, bytesOut: number): void {
    this.#measures.served(bytesIn, bytesOut);
  }

  /** Counts a mistake in this program. */
  bug(): void {
    this.#measures.bug();
  }

  /** Counts a body that was refused as too long. */
  bodyRefused(): void {
    this.#measures.limitHit("body");
  }

  /**
   * Changes when a member, an address or a status does; not with every heartbeat, so that who polls for changes learns
   * cheaply that there is none.
   */
  version(): string {
    const { refresh, gossip, boot } = this.#options;
    refresh();
    return `${boot}-${gossip.replica.table.version}-${this.#stories.lastEvent}`;
  }

  /** The table, or the members of the statuses given. */
  members(statuses?: ReadonlySet<Status>): MembersView {
    const { refresh, gossip, id, address } = this.#options;
    refresh();
    return { id, address, now: this.#wallTime(), members: memberViews(gossip, statuses) };
  }

  /** The same as text, with the reasons. */
  membersText(statuses?: ReadonlySet<Status>): string {
    const { members } = this.members(statuses);
    return tableText(members, (id) => this.#stories.latest(id)?.reason ?? "");
  }

  /** One member with its recent changes; undefined where the table has none of that ID. */
  story(id: string): StoryView | undefined {
    this.#options.refresh();
    return storyView(this.#options.gossip, this.#stories, id);
  }

  /** All that the page shows. */
  page(): PageView {
    const { refresh, gossip, id, address, version, intervalMs, deadAfterMs, now } = this.#options;
    refresh();
    return {
      self: { id, address, version, upMs: now().monotonicMs - this.#startMs },
      now: this.#wallTime(),
      intervalMs,
      deadAfterMs,
      members: pageMembers(gossip, { stories: this.#stories, strips: this.#strips }),
      contacts: contactViews(gossip),
      keyed: this.#options.keyed,
    };
  }

  /** A stream of the changes after `lastEventId`, or of a snapshot and all changes; undefined: there are too many. */
  events(lastEventId: string | undefined): ReadableStream<Uint8Array> | undefined {
    const stream = this.#events.open(lastEventId);
    if (stream === undefined) this.#measures.limitHit("streams");
    return stream;
  }

  /** The text for Prometheus. */
  async metrics(): Promise<string> {
    const { gossip, traffic, version } = this.#options;
    // Loading Node's part of the runtime takes 5 MB for good: only a node that is scraped pays for it.
    const { cpuUsage } = await import("node:process");
    const { user, system } = cpuUsage();
    return metricsText(this.#measures.families({
      ...gossip.counts,
      members: this.members().members,
      contacts: [...gossip.contacts.unanswered()].length,
      tableVersion: gossip.replica.table.version,
      traffic,
      streams: this.#events.size,
      build: { version, deno: Deno.version.deno },
      process: {
        cpuSeconds: (user + system) / 1e6,
        residentBytes: Deno.memoryUsage().rss,
        startSeconds: performance.timeOrigin / 1000,
      },
    }));
  }

  /** Ends every stream, once its reader has all changes. */
  close(): void {
    this.#events.close();
  }

  #wallTime(): string {
    return new Date(this.#options.now().wallMs).toISOString();
  }
}
