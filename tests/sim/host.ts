import type { Agenda } from "./agenda.ts";
import type { HostClock } from "./clock.ts";
import type { Dice } from "../support/dice.ts";
import type { Request } from "./network.ts";

type Job = () => void;

/** Why a host does not run: stopped by a signal (requests wait for it), or suspended with its machine (they are lost). */
export type Stall = "stopped" | "suspended";

/**
 * One process on its host, of ours or of Go: it runs its jobs at once, late (starved) or when it is awake again.
 * A restart makes a new one.
 */
export abstract class Host {
  readonly id: string;
  readonly address: string;
  readonly startMs: number;
  readonly clock: HostClock;
  readonly #agenda: Agenda;
  readonly #dice: Dice;
  readonly #waiting: { kind: "timer" | "io"; job: Job }[] = [];
  /** Called when the process ends and its host lives on, which closes its connections. */
  onClosed: (() => void) | undefined;
  #port: "open" | "closed" | "lost" = "open";
  #stall: { kind: Stall; sinceMs: number } | undefined;
  #lagMs = 0;
  #freeMs = 0;
  #illUntilMs = -Infinity;
  #endedMs = Infinity;

  constructor(
    options: {
      id: string;
      address: string;
      clock: HostClock;
      agenda: Agenda;
      dice: Dice;
    },
  ) {
    this.id = options.id;
    this.address = options.address;
    this.startMs = options.agenda.nowMs;
    this.clock = options.clock;
    this.#agenda = options.agenda;
    this.#dice = options.dice;
  }

  /** Answers a request; undefined: it is bad. */
  abstract serve(request: Request): string | undefined;

  /** A connection to `address` that this process kept idle was closed from there. */
  abstract hungUp(address: string): void;

  get nowMs(): number {
    return this.#agenda.nowMs;
  }

  get port(): "open" | "closed" | "lost" {
    return this.#stall?.kind === "suspended" ? "lost" : this.#port;
  }

  /** The process exists, whether it gets to run or not. */
  get up(): boolean {
    return this.#port === "open";
  }

  /** Since when it has run all its jobs in time; Infinity while it does not. */
  get healthySinceMs(): number {
    return Math.max(this.#illUntilMs, this.startMs);
  }

  /** When the process ended; Infinity while it exists. */
  get endedMs(): number {
    return this.#endedMs;
  }

  /** The process ends: the port is closed, or the whole host is lost. */
  end(how: "closed" | "lost"): void {
    if (!this.up) return;
    this.#port = how;
    this.#endedMs = this.nowMs;
    this.#illUntilMs = Math.min(this.#illUntilMs, this.nowMs);
    if (how === "closed") this.onClosed?.();
    this.#stall = undefined;
    this.#waiting.length = 0;
  }

  stall(kind: Stall): void {
    if (!this.up || this.#stall !== undefined) return;
    this.#stall = { kind, sinceMs: this.nowMs };
    this.#illUntilMs = Infinity;
  }

  /** Sets the wall clock; forward it looks like a suspended machine to the node, which then rests an interval. */
  stepWall(byMs: number): void {
    this.clock.stepWall(byMs);
    this.#illUntilMs = Math.max(this.#illUntilMs, this.nowMs);
  }

  /** Runs on: with all that waited, its timers or its connections first, as the system likes. */
  resume(): void {
    const stall = this.#stall;
    if (stall === undefined) return;
    this.#stall = undefined;
    this.#illUntilMs = this.#lagMs > 0 ? Infinity : this.nowMs;
    if (stall.kind === "suspended") {
      this.clock.lose(this.nowMs - stall.sinceMs);
    }
    const first = this.#dice.chance(0.5) ? "timer" : "io";
    const waiting = this.#waiting.splice(0);
    const inOrder = [
      ...waiting.filter(({ kind }) => kind === first),
      ...waiting.filter(({ kind }) => kind !== first),
    ];
    for (const { kind, job } of inOrder) this.enqueue(kind, job);
  }

  /** From now on it gets to run only every now and then, up to `lagMs` apart; 0 ends it. */
  starve(lagMs: number): void {
    if (!this.up) return;
    this.#lagMs = lagMs;
    this.#illUntilMs = lagMs > 0 || this.#stall !== undefined ? Infinity : this.#freeMs;
    this.#freeMs = Math.max(this.#freeMs, this.nowMs);
  }

  /** Runs `job` when this process gets to: at once if it is healthy, never if it ends before. */
  enqueue(kind: "timer" | "io", job: Job): void {
    if (!this.up) return;
    const { nowMs } = this;
    if (this.#stall !== undefined) {
      this.#waiting.push({ kind, job });
    } else if (this.#lagMs > 0 || this.#freeMs > nowMs) {
      if (this.#freeMs <= nowMs) this.#freeMs = nowMs + this.#dice.between(0, this.#lagMs);
      this.#agenda.add(this.#freeMs, () => this.#runLate(kind, job));
    } else {
      job();
    }
  }

  #runLate(kind: "timer" | "io", job: Job): void {
    if (this.#stall !== undefined) this.#waiting.push({ kind, job });
    else if (this.up) job();
  }
}
