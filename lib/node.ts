/**
 * One running node, as the routes and the program see it: the brain, its driver, and what it remembers for people.
 *
 * @module
 */
import { eTag } from "@std/http/etag";
import type { Moment } from "./clock.ts";
import { Driver } from "./driver.ts";
import { Gossip } from "./gossip.ts";
import type { Log } from "./log.ts";
import { createTransport } from "./transport.ts";
import type { MemberView } from "./view.ts";
import { memberView, memberViews } from "./views.ts";
import { BODY_BYTES_MAX } from "./limits.ts";

/** The whole of an exchange must be over in this time, or the partner counts as silent. */
const EXCHANGE_TIMEOUT_MS = 1_000;

/** A round this many intervals late means that the process does not get to run. */
const LATE_INTERVALS = 2;

export interface NodeOptions {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  readonly seeds: readonly string[];
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  readonly now: () => Moment;
  readonly random: () => number;
  readonly log: Log;
  /** The node has to end, for good. */
  readonly onStop: (status: 0 | 1, text: string) => void;
}

export class Node {
  readonly #options: NodeOptions;
  readonly #gossip: Gossip;
  readonly #driver: Driver;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { log, now, random } = options;
    const boot = Math.floor(random() * 2 ** 32).toString(16).padStart(8, "0");
    this.#gossip = new Gossip({ ...options, boot }, now());
    this.#driver = new Driver({
      ...options,
      gossip: this.#gossip,
      transport: createTransport({
        timeoutMs: EXCHANGE_TIMEOUT_MS,
        bodyBytesMax: BODY_BYTES_MAX,
        onHangUp: (address) => this.#driver.hungUp(address),
      }),
      onChange: (change) => log.change(change),
      onNotice: (level, text) => log.notice(level, text),
    });
  }

  /** Starts the rounds. */
  start(): void {
    this.#driver.start();
  }

  /** Announces a planned stop, and resolves when others were told, or could not be. */
  async leave(reason: string): Promise<void> {
    this.#driver.leave(reason);
    await this.#driver.settled();
  }

  /** Ends the rounds at once, once calls under way are done. */
  async stop(): Promise<void> {
    await this.#driver.settled();
    this.#driver.stop();
  }

  receive(from: string, body: string): { readonly body: string } | { readonly error: string } {
    return this.#driver.receive(from, body);
  }

  hear(from: string, via: string): void {
    this.#driver.hear(from, via);
  }

  hello(): string {
    return this.#gossip.hello();
  }

  /** Decommissions `id`; says in one line what was done. */
  bye(id: string): { readonly ok: boolean; readonly text: string } {
    const known = this.#gossip.replica.table.get(id) !== undefined;
    switch (this.#driver.decommission(id)) {
      case "already":
        return { ok: true, text: `${id} was decommissioned before` };
      case "full":
        return { ok: false, text: `Cannot decommission ${id}: the table of tombstones is full` };
      case "done":
        return {
          ok: true,
          text: `${id} is decommissioned for good` +
            (known ? "" : ", though it was not known here"),
        };
    }
  }

  /**
   * All members, with a weak ETag that changes when a member, an address or a status does; not with every heartbeat, so that a
   * script that polls for changes gets 304 until there is one.
   */
  async members(): Promise<{ etag: string; body: object }> {
    this.#driver.refresh();
    const members = memberViews(this.#gossip);
    const seen = members.map((m) => `${m.id} ${m.address} ${m.status}`).join("\n");
    const { id, address } = this.#options;
    const body = { id, address, now: this.#wallTime(), members };
    return { etag: await eTag(seen, { weak: true }) ?? "", body };
  }

  member(id: string): MemberView | undefined {
    this.#driver.refresh();
    return memberView(this.#gossip, id);
  }

  /** Why this node is not healthy, in one line; undefined if it is. */
  trouble(): string | undefined {
    const { now, intervalMs } = this.#options;
    const lateMs = this.#gossip.lateMs(now().monotonicMs);
    if (lateMs <= LATE_INTERVALS * intervalMs) return undefined;
    return `The next round is ${
      (lateMs / 1000).toFixed(1)
    } s late: the process does not get to run`;
  }

  /** Logs an error that only a mistake in this program can cause. */
  reportBug(error: unknown): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    this.#options.log.notice("warn", `BUG: ${text.replaceAll("\n", " ")}`);
  }

  #wallTime(): string {
    return new Date(this.#options.now().wallMs).toISOString();
  }
}
