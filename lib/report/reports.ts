/**
 * What a node tells people and scripts: the table, each member's story, the page, the events and the metrics. It
 * remembers what the table does not: which member changed, when and why.
 *
 * @module
 */
import { EventStreams } from "./events.ts";
import type { Dropped } from "../forgotten.ts";
import type { EndedExchange } from "../net/driver.ts";
import { Flapping } from "./flapping.ts";
import { type MembersAtView, membersAtView, timeOf, uptimesOf } from "./past_views.ts";
import { hookFamilies } from "./hook_metrics.ts";
import { Metrics } from "./metrics.ts";
import { readProcess } from "./process_readings.ts";
import { metricsText } from "./prometheus.ts";
import { Stories } from "./stories.ts";
import { type SpanName, stripsOf } from "./spans.ts";
import { Strips, stripStepMs } from "./strips.ts";
import { type TargetGroup, targetGroups } from "./targets.ts";
import { ageOf } from "../table.ts";
import {
  type ListedMember,
  type MemberQuery,
  type MembersView,
  memberViews,
  type PageView,
  type StoryView,
  storyView,
  tableText,
  type ViewSources,
} from "./members.ts";
import { pageOfMembers } from "./paging.ts";
import { quietVersion, quietViews } from "./quiet.ts";
import type { ReportsOptions } from "./reports_options.ts";
import { contactViews, LastFailures } from "./contacts.ts";
import { CutOffReport } from "./cut_off.ts";
import { detailsFrom } from "./details.ts";
import type { StatusChange } from "../verdicts.ts";

export class Reports {
  readonly #options: ReportsOptions;
  readonly #startMs: number;
  readonly #stories = new Stories();
  readonly #flapping = new Flapping();
  readonly #strips: Strips;
  readonly #metrics = new Metrics();
  readonly #failures = new LastFailures();
  readonly #events: EventStreams;
  readonly #cutOff: CutOffReport;
  #told = Promise.withResolvers<void>();

  constructor(options: ReportsOptions) {
    this.#options = options;
    const { boot, now, gossip } = options;
    this.#cutOff = new CutOffReport(options);
    const nowMs = () => now().monotonicMs;
    this.#startMs = nowMs();
    this.#strips = new Strips(stripStepMs(gossip.replica.pace.intervalMs));
    const snapshot = () => JSON.stringify(this.members());
    this.#events = new EventStreams({ boot, stories: this.#stories, snapshot, nowMs });
  }

  /** Records a change of a member's status. */
  changed(told: StatusChange): void {
    const { id, log, now, gossip, remember } = this.#options;
    const { table, former } = gossip.replica;
    const row = table.get(told.id);
    const beforeMs = row === undefined ? 0 : former.beforeMs(row);
    const aged = beforeMs === 0 ? told : { ...told, ageMs: (told.ageMs ?? 0) + beforeMs };
    const change = this.#cutOff.explain(aged);
    this.#stories.record(change, now().wallMs, row?.about);
    remember(change);
    this.#flapping.changed(this.#stories.history(change.id));
    this.#strips.sample(change.id, { status: change.to, ageMs: change.ageMs });
    this.#metrics.change(change);
    this.#events.publish();
    this.#tell();
    log.change(change, change.id === id);
  }

  /** Records that a member was dropped. */
  forgot({ id, reason }: Dropped): void {
    const { log, remember } = this.#options;
    remember({ id, from: this.#stories.latest(id)?.to ?? null, to: "forgotten", reason });
    log.notice("info", `forgot ${id}: ${reason}`);
    this.#tell();
  }

  /** Records a round, and samples every member. */
  round(lateMs: number): void {
    const { gossip, now } = this.#options;
    this.#metrics.round(lateMs);
    this.#cutOff.look();
    this.#strips.advance(now().monotonicMs);
    for (const row of gossip.replica.table.roster()) {
      const ageMs = row.heartbeat === 0 ? null : ageOf(row, gossip.nowMs);
      this.#strips.sample(row.id, { status: gossip.statusOf(row), ageMs });
    }
    this.#tell();
  }

  /** Records an exchange that this node started. */
  exchanged(exchange: EndedExchange): void {
    this.#metrics.exchange(exchange);
    const { to, outcome, tookMs } = exchange;
    this.#failures.record(exchange);
    this.#options.log.notice("debug", `called ${to}: ${outcome} in ${tookMs.toFixed(1)} ms`);
  }

  /** Records an exchange that another node started, with the lengths of its bodies in bytes. */
  served(bytesIn: number, bytesOut: number): void {
    this.#metrics.served(bytesIn, bytesOut);
  }

  /** Counts an error in this program. */
  bug(): void {
    this.#metrics.bug();
  }

  /** Counts a body that is too long, or a reader of `/events` too many. */
  refused(limit: "body" | "streams"): void {
    this.#metrics.limitHit(limit);
  }

  /**
   * Changes when a member, an address, a status, a remark or the pace does, and not with heartbeats, so that a client
   * that polls for changes learns cheaply that nothing changed.
   */
  version(): string {
    const { refresh, gossip, boot, now } = this.#options;
    refresh();
    const { table, evidence: { slow }, spread, pace } = gossip.replica;
    const flapping = this.#flapping.count(now().wallMs);
    const counts = [slow.version, spread.version, pace.version, flapping, quietVersion(gossip)];
    const remarks = `${counts.join(".")}${this.#cutOff.holds ? "c" : ""}`;
    return `${boot}-${table.version}-${this.#stories.lastEvent}-${remarks}`;
  }

  /** The table, or the members that are `wanted`. */
  members(wanted?: MemberQuery): MembersView {
    const { refresh, id, address } = this.#options;
    refresh();
    const sources = this.#sources();
    const quiet = quietViews(sources.gossip, sources.wallMs);
    const page = pageOfMembers(sources, wanted);
    const now = timeOf(sources.wallMs);
    return { id, address, now, cutOff: this.#cutOff.holds, quiet, ...page };
  }

  /** What this node believed at a time. */
  membersAt(ms: number): MembersAtView {
    const { past, id, now } = this.#options;
    return membersAtView(past, ms, { id, wallMs: now().wallMs });
  }

  /** The same as text. */
  membersText(wanted?: MemberQuery): string {
    return tableText(this.members(wanted).members);
  }

  /** The live members with these tags. */
  live(tags: MemberQuery["tags"]): readonly ListedMember[] {
    return this.members({ statuses: new Set(["live"]), tags }).members;
  }

  /** Resolves when something was told next: a change, or a round. */
  get told(): Promise<void> {
    return this.#told.promise;
  }

  #tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  }

  /** The live members with these tags, as targets for Prometheus' HTTP service discovery. */
  targets(tags?: MemberQuery["tags"]): TargetGroup[] {
    return targetGroups(this.live(tags), this.#options);
  }

  /** The member of that ID with its recent changes; undefined if the table has none. */
  story(id: string): StoryView | undefined {
    this.#options.refresh();
    const { past, now } = this.#options;
    return storyView(this.#sources(), id, uptimesOf(past, id, now().wallMs));
  }

  /** Everything the page shows, with strips of that span. */
  page(span?: SpanName): PageView {
    const { refresh, gossip, id, address, version, now } = this.#options;
    const { cluster, keyed, tls, past, toldLog } = this.#options;
    refresh();
    const { intervalMs, deadAfterMs, isStretched } = gossip.replica.pace;
    const { monotonicMs, wallMs } = now();
    const epochMs = wallMs - monotonicMs;
    const strips = span === undefined
      ? this.#strips.source(epochMs, this.#stories)
      : stripsOf(past, span, wallMs);
    return {
      self: { id, address, version, cluster, upMs: monotonicMs - this.#startMs },
      fromMs: strips.fromMs,
      startedMs: epochMs + this.#startMs,
      now: timeOf(wallMs),
      cutOff: this.#cutOff.holds,
      quiet: quietViews(gossip, wallMs),
      members: memberViews(this.#sources()),
      details: detailsFrom(strips, toldLog),
      contacts: contactViews(gossip, this.#failures),
      keyed,
      tls,
      intervalMs,
      deadAfterMs,
      isStretched,
    };
  }

  /** A stream as {@linkcode EventStreams.open} gives it; undefined if too many are open. */
  events(...from: Parameters<EventStreams["open"]>): ReadableStream<Uint8Array> | undefined {
    const stream = this.#events.open(...from);
    if (stream === undefined) this.refused("streams");
    return stream;
  }

  /** The text for Prometheus. */
  async metrics(): Promise<string> {
    const { gossip, traffic, version } = this.#options;
    const families = this.#metrics.families({
      ...gossip.counts,
      members: this.members().members,
      cutOff: this.#cutOff.holds,
      contacts: [...gossip.contacts.unanswered()].length,
      tableVersion: gossip.replica.table.version,
      traffic,
      streams: this.#events.size,
      build: { version, deno: Deno.version.deno },
      process: await readProcess(),
    });
    return metricsText([...families, ...hookFamilies(gossip.tellings.counts)]);
  }

  /** Ends every stream once its reader has all changes. */
  close(): void {
    this.#events.close();
  }

  #sources(): ViewSources {
    const { gossip, toldLog, now } = this.#options;
    return { gossip, stories: this.#stories, toldLog, wallMs: now().wallMs };
  }
}
