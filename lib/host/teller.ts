/**
 * Runs hooks: what the core asks to be told is told once, within bounds of time and number, and what came of it is
 * said. Loaded only by nodes that have hooks.
 *
 * @module
 */
import type { HookConfig } from "../config/hooks.ts";
import { formatDuration } from "../config/values.ts";
import { hex8 } from "../hash.ts";
import type { Telling } from "../hook.ts";
import type { Log } from "../log.ts";
import { withSignal } from "../net/deadline.ts";
import { OncePer } from "../once.ts";
import { errorText } from "../text.ts";
import { post } from "./hook_post.ts";
import { type HookMessage, type HookRun, madeUp, messageOf, variablesOf } from "./hook_words.ts";
import { runShell } from "./shell.ts";

/** Longest time of a command, and of a call. */
const COMMAND_MS = 30_000;
const POST_MS = 10_000;

/** Lines of a command's output that are logged. */
const LINES_LOGGED = 5;

/** A failure that repeats is logged this often: a receiver may be down for days. */
const FAILURES = { keysMax: 256, periodMs: 600_000 };

export interface TellerOptions {
  /** This node's ID. */
  readonly by: string;
  readonly cluster: string;
  /** The key to sign with; undefined in a cluster without one. */
  readonly secret?: (() => Promise<string>) | undefined;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly authorities: () => readonly string[];
  readonly wallMs: () => number;
  readonly nowMs: () => number;
  /** Draws the key of a test. */
  readonly random: () => number;
  readonly log: Log;
  /** Longest time of a command, and of a call, in ms (default `COMMAND_MS` and `POST_MS`). */
  readonly commandMs?: number;
  readonly postMs?: number;
}

export class Teller {
  readonly #hooks: ReadonlyMap<string, HookConfig>;
  readonly #options: TellerOptions;
  readonly #over = new AbortController();
  /** Hooks that run, and those that are being tried: each once at a time, so all are bounded. */
  readonly #busy = { tell: new Set<string>(), test: new Set<string>() };
  readonly #failures = new OncePer(FAILURES);

  constructor(hooks: readonly HookConfig[], options: TellerOptions) {
    this.#hooks = new Map(hooks.map((hook) => [hook.name, hook]));
    this.#options = options;
  }

  /** Tells once, where there are so many members; never rejects. */
  tell(telling: Telling, members: number): Promise<HookRun> {
    return this.#run("tell", telling, members);
  }

  /** Tries a hook with a made-up change; undefined if no hook has that name. */
  async test(name: string): Promise<HookRun | undefined> {
    const hook = this.#hooks.get(name);
    if (hook === undefined) return undefined;
    const draw = hex8(Math.floor(this.#options.random() * 2 ** 32));
    return await this.#run("test", madeUp(name, `test-${draw}`, hook.tags), 1);
  }

  get names(): string[] {
    return [...this.#hooks.keys()];
  }

  /** Ends the runs under way, and starts no other: another node will tell. */
  stop(): void {
    this.#over.abort();
  }

  async #run(kind: "tell" | "test", telling: Telling, members: number): Promise<HookRun> {
    const hook = this.#hooks.get(telling.hook);
    if (hook === undefined) return failed(`there is no hook ${telling.hook}`);
    const busy = this.#busy[kind];
    if (busy.has(hook.name)) return failed("it runs already");
    busy.add(hook.name);
    try {
      const { by, cluster, wallMs } = this.#options;
      const sender = { by, cluster, members, wallMs: wallMs() };
      const message = messageOf(telling, sender, kind === "test");
      const run = await this.#inTime(hook, message);
      this.#log(message, run);
      return run;
    } finally {
      busy.delete(hook.name);
    }
  }

  async #inTime(hook: HookConfig, message: HookMessage): Promise<HookRun> {
    const { commandMs = COMMAND_MS, postMs = POST_MS } = this.#options;
    const timeoutMs = hook.action.kind === "command" ? commandMs : postMs;
    const { signal: stopping } = this.#over;
    return await withSignal(stopping, timeoutMs, async (signal) => {
      try {
        const run = stopping.aborted ? undefined : await this.#act(hook, message, signal);
        // What is cut short by the end of this node did not take too long.
        if (run !== undefined && (run.done || !stopping.aborted)) return run;
      } catch (error) {
        const late = `no answer within ${formatDuration(timeoutMs)}`;
        if (!stopping.aborted) return failed(signal.aborted ? late : errorText(error));
      }
      return failed("this node is stopping");
    });
  }

  async #act({ action }: HookConfig, message: HookMessage, signal: AbortSignal): Promise<HookRun> {
    const body = JSON.stringify(message);
    if (action.kind === "url") {
      const { secret, authorities, wallMs } = this.#options;
      return await post(action.url, body, {
        signal,
        key: message.key,
        secret: await secret?.(),
        authorities: authorities(),
        wallMs: wallMs(),
      });
    }
    const env = variablesOf(message);
    const { passed, how, lines } = await runShell(action.command, { signal, env, input: body });
    return { done: passed, words: how, lines: lines.slice(-LINES_LOGGED) };
  }

  #log({ hook, text }: HookMessage, { done, words, lines }: HookRun): void {
    const { log, nowMs } = this.#options;
    if (!done && this.#failures.admit(`${hook} ${words}`, nowMs()) === "no") return;
    const level = done ? "info" : "warn";
    log.notice(
      level,
      done ? `told ${hook}: ${text} (${words})` : `cannot tell ${hook}: ${words}: ${text}`,
    );
    for (const line of lines) log.notice(level, `${hook}: ${line}`);
  }
}

function failed(words: string): HookRun {
  return { done: false, words, lines: [] };
}
