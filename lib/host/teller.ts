/**
 * Runs hooks: what the core asks to be told is told once, within bounds of time and number, and what came of it is
 * said. Loaded only by nodes that have hooks.
 *
 * @module
 */
import type { HookConfig } from "../config/hooks.ts";
import { formatDuration } from "../config/values.ts";
import type { Telling } from "../hook.ts";
import type { Log } from "../log.ts";
import { OncePer } from "../once.ts";
import { messageOf as reasonOf } from "../text.ts";
import { post } from "./hook_post.ts";
import { type HookRun, madeUp, type Message, messageOf, variablesOf } from "./hook_words.ts";
import { runShell } from "./shell.ts";

/** Longest time of a command, and of a call. */
export const COMMAND_MS = 30_000;
export const POST_MS = 10_000;

/** Runs of one hook at once: a storm must not start a process for each member. */
export const AT_ONCE_MAX = 4;

/** Runs of one hook that wait for their turn: the core asks for few, as it tells many changes as one. */
const WAITING_MAX = 256;

/** Lines of a command's output that are logged. */
const LINES_LOGGED = 5;

/** A failure that repeats is logged this often: a receiver may be down for days. */
const FAILURES = { keysMax: 256, periodMs: 600_000 };

export interface TellerOptions {
  /** This node's ID. */
  readonly by: string;
  readonly cluster: string;
  /** Members that there are. */
  readonly members: () => number;
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
  readonly #lanes = new Map<string, Lane>();
  /** Of which hook and member a run is under way. */
  readonly #busy = new Set<string>();
  readonly #failures = new OncePer(FAILURES);

  constructor(hooks: readonly HookConfig[], options: TellerOptions) {
    this.#hooks = new Map(hooks.map((hook) => [hook.name, hook]));
    this.#options = options;
    for (const { name } of hooks) this.#lanes.set(name, new Lane());
  }

  /** Tells once; never rejects. */
  async tell(telling: Telling): Promise<HookRun> {
    const places = telling.changes.map(({ id }) => `${telling.hook} ${id}`);
    // The core does not ask for two at once: a second one would make order and outcome a matter of luck.
    if (places.some((place) => this.#busy.has(place))) return failed("it is being told already");
    for (const place of places) this.#busy.add(place);
    try {
      const message = this.#message(telling, false);
      const run = await this.#run(telling.hook, message);
      this.#log(message, run);
      return run;
    } finally {
      for (const place of places) this.#busy.delete(place);
    }
  }

  /** Tries a hook with a made-up change; undefined if there is none of that name. */
  async test(name: string): Promise<HookRun | undefined> {
    const hook = this.#hooks.get(name);
    if (hook === undefined) return undefined;
    const draw = Math.floor(this.#options.random() * 2 ** 32).toString(16).padStart(8, "0");
    const message = this.#message(madeUp(name, `test-${draw}`, hook.tags), true);
    const run = await this.#run(name, message);
    this.#log(message, run);
    return run;
  }

  get names(): string[] {
    return [...this.#hooks.keys()];
  }

  /** Ends the runs under way, and starts no other: another node will tell. */
  stop(): void {
    this.#over.abort();
  }

  #message(telling: Telling, test: boolean): Message {
    const { by, cluster, members, wallMs } = this.#options;
    return messageOf(telling, { by, cluster, members: members(), wallMs: wallMs() }, test);
  }

  async #run(name: string, message: Message): Promise<HookRun> {
    const hook = this.#hooks.get(name);
    const lane = this.#lanes.get(name);
    if (hook === undefined || lane === undefined) return failed(`there is no hook ${name}`);
    if (!await lane.enter()) return failed("too many wait for their turn");
    const { commandMs = COMMAND_MS, postMs = POST_MS } = this.#options;
    const timeoutMs = hook.action.kind === "command" ? commandMs : postMs;
    const over = new AbortController();
    const abort = () => over.abort();
    const timer = setTimeout(abort, timeoutMs);
    this.#over.signal.addEventListener("abort", abort);
    try {
      if (this.#over.signal.aborted) return failed("this node is stopping");
      return await this.#act(hook, message, over.signal);
    } catch (error) {
      if (this.#over.signal.aborted) return failed("this node is stopping");
      const late = `no answer within ${formatDuration(timeoutMs)}`;
      return failed(over.signal.aborted ? late : reasonOf(error));
    } finally {
      clearTimeout(timer);
      this.#over.signal.removeEventListener("abort", abort);
      lane.leave();
    }
  }

  async #act({ action }: HookConfig, message: Message, signal: AbortSignal): Promise<HookRun> {
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

  #log({ hook, text }: Message, { done, words, lines }: HookRun): void {
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

/** The runs of one hook: a few at once, and a bounded number that wait. */
class Lane {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  /** Waits for a turn; false if too many do. */
  async enter(): Promise<boolean> {
    if (this.#inside < AT_ONCE_MAX) {
      this.#inside++;
      return true;
    }
    if (this.#waiting.length >= WAITING_MAX) return false;
    // Whoever leaves hands its place on.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inside--;
    else next();
  }
}
