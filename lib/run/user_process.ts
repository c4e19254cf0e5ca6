/**
 * The user's process, beside which this node lives: the checks of `-check`, which look at it, and the program of `--`,
 * where this node starts it. Loaded only where there is one or the other.
 *
 * @module
 */
import { Checks } from "../host/checks.ts";
import type { Said } from "../about.ts";
import { Child, type Exit, onPassedSignals, type PassedSignal } from "../host/child.ts";
import type { UserProcessConfig } from "../config/user_process.ts";
import { endOf } from "../ends.ts";
import type { Log } from "../log.ts";
import { HANG_UP_IGNORED } from "../host/process.ts";
import { ignoreHangUp } from "../host/processes.ts";

export interface UserProcessOptions {
  readonly log: Log;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly authorities: () => string[];
  /** Told what this member is to say of itself. */
  readonly say: (words: Pick<Said, "failing" | "unchecked">) => void;
  /** The program has ended by itself: the status to exit with, and why this member leaves. */
  readonly onExit: (status: number, reason: string) => void;
}

export class UserProcess {
  readonly #config: UserProcessConfig;
  #checks: Checks | undefined;
  #child: Child | undefined;
  #stopping = false;

  constructor(config: UserProcessConfig) {
    this.#config = config;
  }

  /**
   * Starts the program, and the checks.
   *
   * @throws {ProgramError} if the program cannot be started.
   */
  start({ log, authorities, say, onExit }: UserProcessOptions): void {
    const { checks, command } = this.#config;
    if (command !== undefined) {
      if (HANG_UP_IGNORED) {
        ignoreHangUp((why) => log.notice("warn", `SIGHUP ends it in spite of nohup: ${why}`));
      }
      const child = this.#child = new Child(command, {
        onTrouble: (text) => log.notice("warn", text),
        nowMs: () => performance.now(),
      });
      log.notice("info", `runs ${child.name}, pid ${child.pid}`);
      void child.exited.then((exit) => this.#ended(exit, { log, onExit }));
    }
    this.#checks = new Checks({
      checks,
      authorities,
      onOutcome: ({ state, words }) => {
        say({ failing: words, unchecked: state === "unchecked" });
        if (state === "failing") log.notice("warn", `checks: failing: ${words}`);
        else if (state === "passing") log.notice("info", "checks: pass");
      },
      nowMs: () => performance.now(),
      wallMs: () => Date.now(),
    });
    this.#checks.start();
  }

  /** From now on signals go to the program; false without one. */
  takesSignals(): boolean {
    const child = this.#child;
    if (child !== undefined) onPassedSignals((signal) => child.pass(signal));
    return child !== undefined;
  }

  /** Passes a signal on to the program, if there is one. */
  pass(signal: PassedSignal): void {
    this.#child?.pass(signal);
  }

  /** The terminal was closed: the program hears of it too, and says what that means. False without one. */
  hungUp(): boolean {
    this.#child?.hungUp();
    return this.#child !== undefined;
  }

  /** Ends the checks, and the program; resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#checks?.stop();
    await this.#child?.stop();
  }

  #ended(
    { status, planned, word }: Exit,
    { log, onExit }: Pick<UserProcessOptions, "log" | "onExit">,
  ) {
    const { reason } = endOf(word);
    log.notice(planned ? "info" : "error", `${this.#child!.name} has ended: ${reason}`);
    if (!this.#stopping) onExit(status, word);
  }
}
