import { SAYS_NOTHING, writeAbout } from "../../lib/about.ts";
import type { Moment } from "../../lib/clock.ts";
import type { Gossip } from "../../lib/gossip.ts";
import { DEFAULT_CLUSTER } from "../../lib/limits.ts";
import type { Pace } from "../../lib/pace.ts";
import type { Saved } from "../../lib/host/state_format.ts";
import type { Driver, World as DriverWorld } from "../../lib/net/driver.ts";
import type { Hook, Telling } from "../../lib/hook.ts";
import type { Told } from "../../lib/told.ts";
import type { HostClock } from "./clock.ts";
import { hooksOf } from "./hooks.ts";
import { Host } from "./host.ts";
import type { Request } from "./network.ts";
import type { Core, World } from "./world.ts";

/** A timer fires up to this much late, even on an idle host. */
const TIMER_LATE_MS = 2;

/** A node of ours: the core and the driver that main.ts runs, on a simulated host. */
export class OurNode extends Host {
  readonly gossip: Gossip;
  readonly boot: string;
  /** What it started from, if it remembers a former life. */
  readonly saved: Saved | undefined;
  readonly #world: World;
  readonly #driver: Driver;
  readonly hooks: readonly Hook[];
  /** What it says of itself. */
  words: string | undefined;
  /** Why it ended by itself, if it did. */
  stopText: string | undefined;

  constructor(
    world: World,
    options: {
      id: string;
      address: string;
      seeds: readonly string[];
      clock: HostClock;
      saved: Saved | undefined;
      told: readonly Told[];
      core?: Core;
    },
  ) {
    const dice = world.dice.fork(`${options.id} ${world.nowMs}`);
    super({ ...options, agenda: world.agenda, dice: dice.fork("host") });
    this.#world = world;
    this.saved = options.saved;
    this.boot = dice.hex8();
    const { intervalMs, deadAfterMs, forgetMs, tellAfterMs = 0 } = world.options;
    const { fineMembersMax, stretchMembers } = world.options;
    const { core = world.options.core } = options;
    const { id, address, seeds, saved, told } = options;
    this.hooks = hooksOf(world.options.hooks ?? [], id);
    const random = () => dice.next();
    const remembered = (saved?.addresses ?? []).filter((known) => known !== address);
    const { boot } = this;
    const { hooks } = this;
    const brain = { id, address, boot, seeds, remembered, random, hooks, tellAfterMs, told };
    const pace = { intervalMs, deadAfterMs, forgetMs, fineMembersMax, stretchMembers };
    this.gossip = new core.Gossip({ ...brain, ...pace }, this.#moment());
    if (saved !== undefined) {
      core.restore(this.gossip, saved, { id, wallMs: this.#moment().wallMs });
    }
    this.#driver = new core.Driver({
      gossip: this.gossip,
      id,
      address,
      cluster: DEFAULT_CLUSTER,
      world: {
        now: () => this.#moment(),
        setTimer: (atMs, run) => this.#setTimer(atMs, run),
        post: (to, _path, body, settle) => this.#post(to, body, settle),
      },
      listener: {
        onChange: (change) => world.onChange?.(this, change),
        onTell: (telling) => world.tell(this, telling),
        onForgotten: ({ id }) => world.forgot(this, id),
        onNotice: () => {},
        onBug: (rule) => world.onBug?.(this, rule),
        onStop: (_status, text) => {
          this.stopText = text;
          this.#endWhenIdle();
        },
      },
    });
  }

  /** Its pace now; a program before this one has the one it was given. */
  get pace(): Pick<Pace, "intervalMs" | "longestIntervalMs" | "deadAfterMs"> {
    const { intervalMs, deadAfterMs } = this.#world.options;
    return this.gossip.replica.pace ?? { intervalMs, longestIntervalMs: intervalMs, deadAfterMs };
  }

  begin(): void {
    if (this.hooks.length > 0) this.say("", "");
    this.#driver.start();
    this.#world.onStep?.(this);
  }

  serve(request: Request): string | undefined {
    if (request.kind === "hello") {
      this.#enter((gossip, now) => gossip.hear(now, request.from, request.via));
      return this.gossip.hello();
    }
    const answer = this.#enter((gossip, now) => gossip.receive(now, request.from, request.body));
    return "error" in answer ? undefined : answer.body;
  }

  hungUp(address: string): void {
    this.#enter((gossip, now) => gossip.hungUp(now, address));
  }

  leave(reason: string): void {
    this.enqueue("io", () => {
      this.#enter((gossip, now) => gossip.leave(now, reason));
      this.#endWhenIdle();
    });
  }

  decommission(id: string): void {
    this.enqueue("io", () => {
      this.#enter((gossip, now) => gossip.decommission(now, id));
    });
  }

  forget(id: string): void {
    this.enqueue("io", () => {
      this.#enter((gossip, now) => gossip.forget(now, id));
    });
  }

  /** Asks for quiet about members. */
  quiet(pattern: string, forMs: number): void {
    this.enqueue("io", () => {
      this.#enter((gossip, now) => gossip.quiet(now, { pattern, forMs, why: "", by: this.id }));
    });
  }

  /** A hook that it ran ended; `note` hears of it if this process still lives. */
  told(
    telling: Telling,
    outcome: "done" | "failed",
    note: (outcome: "done" | "failed") => void,
  ): void {
    this.enqueue("io", () => {
      note(outcome);
      this.#enter((gossip, now) => gossip.tellingEnded(now, telling, outcome));
    });
  }

  /** Says that a check fails, or none does, and its tag; empty for none. */
  say(failing: string, role: string): void {
    const tags: Record<string, string> = role === "" ? {} : { role };
    const hooks = this.hooks.map(({ name }) => name);
    const about = writeAbout({ ...SAYS_NOTHING, failing, tags, hooks });
    this.words = about?.text;
    this.enqueue("io", () => {
      this.#enter((gossip, now) => gossip.say(now, about));
    });
  }

  readonly #enter: Driver["enter"] = (entry) => {
    const entered = this.#driver.enter(entry);
    this.#world.onStep?.(this);
    return entered;
  };

  #moment(): Moment {
    return this.clock.moment(this.nowMs);
  }

  #endWhenIdle(): void {
    this.#driver.whenIdle(() => this.end("closed"));
  }

  #setTimer(atMs: number, run: () => void): () => void {
    const { agenda, dice } = this.#world;
    const late = dice.between(0, TIMER_LATE_MS);
    let cancelled = false;
    agenda.add(Math.max(this.clock.trueMs(atMs), this.nowMs) + late, () => {
      if (cancelled) return;
      this.enqueue("timer", () => {
        if (cancelled) return;
        run();
        this.#world.onStep?.(this);
      });
    });
    return () => cancelled = true;
  }

  #post(to: string, body: string, settle: Parameters<DriverWorld["post"]>[3]): void {
    const request = { kind: "exchange", from: this.id, via: this.address, body } as const;
    this.#world.network.call(this, to, request, (outcome) => {
      if (outcome.kind === "refused") this.#world.onRefused?.(this, to);
      if (outcome.kind === "answer") this.#world.onAnswered?.(this, to);
      settle(outcome);
      this.#world.onStep?.(this);
    });
  }
}
