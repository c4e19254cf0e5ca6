/**
 * Does what the plan says: signals, requests, rules. Before and after each it tells the truth, and the chronicle
 * what to look for.
 *
 * @module
 */
import { CpuGroup } from "../support/cgroup.ts";
import { type Chronicle, type Event, type Goal, inSeconds } from "./chronicle.ts";
import type { Crew, Process } from "./crew.ts";
import { type Judge, type View, Violation } from "./judge.ts";
import { describeFault, type LinkFault } from "./links.ts";
import type { Place } from "./place.ts";
import type { Act } from "./plan.ts";
import type { Truth } from "./truth.ts";

const BYE_TRIES = 5;
const BYE_TIMEOUT_MS = 5_000;

/** Processes that want a starved node's CPU time: with half as many, a node on a calm machine still beats each second. */
const BUSY = 16;

export interface ActorOptions {
  readonly place: Place;
  readonly truth: Truth;
  readonly crew: Crew;
  readonly judge: Judge;
  readonly chronicle: Chronicle;
  readonly intervalMs: number;
}

export class Actor {
  /** Nodes that announced their planned stop to others that could hear it. */
  readonly left = new Set<string>();
  readonly #options: ActorOptions;
  readonly #events = new Map<string, Event>();
  readonly #faults: LinkFault[] = [];
  readonly #groups = new Map<string, CpuGroup>();
  #over = false;

  constructor(options: ActorOptions) {
    this.#options = options;
  }

  async act(act: Act): Promise<void> {
    const name = act.kind === "break" ? act.fault.kind : act.kind;
    if (!["mend", "feed"].includes(name)) this.#options.chronicle.count(name);
    switch (act.kind) {
      case "start":
        return await this.#start(act);
      case "return":
        return await this.#return(act);
      case "kill":
      case "leave":
        return await this.#end(act.id, act.kind);
      case "stop":
        return this.#stop(act.id);
      case "resume":
        return this.#resume(act.id);
      case "starve":
        return await this.#starve(act);
      case "feed":
        return await this.#feed(act.id);
      case "bye":
        return await this.#bye(act);
      case "break":
        return await this.#break(act.fault);
      case "mend":
        return await this.#mend(act.fault);
    }
  }

  async #start(act: Act & { kind: "start" }): Promise<void> {
    const { crew } = this.#options;
    const { id, join, clockMs } = act;
    const again = crew.get(id) === undefined ? "start" : "start again";
    const clock = clockMs === 0 ? "" : `, its clock ${clockMs / 1000} s off`;
    const fromMs = performance.now();
    await crew.start(id, { join, clockMs });
    this.left.delete(id);
    this.#close(id);
    const goal = {
      text: "live",
      figure: `a started node live${this.#amid()}`,
      met: (observer: string, view: View) =>
        observer === id
          ? crew.running.every((p) => view.rows.get(p.id)?.status === "live")
          : view.rows.get(id)?.status === "live",
    };
    const seeds = join.length === 0 ? "joining none" : `joining ${join.join(" ")}`;
    this.#open(id, `${again} ${id}, ${seeds}${clock}`, { fromMs, goal });
  }

  async #return({ id, join }: Act & { kind: "return" }): Promise<void> {
    const { crew, chronicle } = this.#options;
    const fromMs = performance.now();
    const process = await crew.start(id, { join, ending: "bye" });
    const event = chronicle.open(`start ${id} again, which is decommissioned`, { fromMs });
    this.#events.set(id, event);
    void process.node.ended.then((code) => {
      chronicle.close(
        event,
        `it ended with ${code} after ${inSeconds(performance.now() - fromMs)}`,
      );
    });
  }

  async #end(id: string, kind: "kill" | "leave"): Promise<void> {
    const { crew, truth, intervalMs, chronicle } = this.#options;
    const fromMs = performance.now();
    const sinceMs = fromMs - 3 * intervalMs;
    const heard = truth.isWellConnected(id, sinceMs) && truth.lastMs("loss") < sinceMs;
    this.#close(id);
    await crew.end(id, kind);
    if (kind === "leave" && heard) this.left.add(id);
    const goal = kind === "kill"
      ? this.#shown(id, "dead", `a killed node dead${this.#amid(id)}`)
      : this.#shown(id, "left", `a leaving node left${this.#amid()}`);
    const text = kind === "kill" ? `kill -9 ${id}` : `SIGTERM ${id}`;
    this.#events.set(id, chronicle.open(text, { fromMs, goal }));
  }

  #stop(id: string): void {
    const { crew, truth } = this.#options;
    const process = crew.get(id);
    if (process === undefined || !process.node.running) return;
    const fromMs = performance.now();
    truth.stalls(id);
    process.node.kill("SIGSTOP");
    truth.stalled(id, performance.now());
    const goal = this.#shown(id, "unresponsive", "a stopped node unresponsive");
    this.#open(id, `SIGSTOP ${id}`, { fromMs, goal });
  }

  #resume(id: string): void {
    const { crew, truth } = this.#options;
    const process = crew.get(id);
    if (process === undefined || !truth.isStalled(id)) return;
    this.#close(id);
    const fromMs = performance.now();
    truth.resumes(id, fromMs);
    process.node.kill("SIGCONT");
    this.#open(id, `SIGCONT ${id}`, { fromMs, goal: this.#shown(id, "live") });
  }

  async #starve({ id, share }: Act & { kind: "starve" }): Promise<void> {
    const { crew, truth } = this.#options;
    const process = crew.get(id);
    if (process === undefined || !process.node.running) return;
    const fromMs = performance.now();
    truth.starves(id, fromMs);
    const group = await makeGroup(share);
    this.#groups.set(id, group);
    if (this.#over) return await this.#feed(id);
    await group.addBusy(BUSY);
    if (process.node.running) await group.take(process.node.pid);
    const goal = {
      text: "slow or unresponsive",
      met: (observer: string, view: View) => {
        const row = view.rows.get(id);
        return observer === id || row?.status === "unresponsive" ||
          row?.remark?.startsWith("slow: ") === true;
      },
    };
    this.#open(id, `starve ${id} at ${share * 100} % of a core`, { fromMs, goal });
  }

  async #feed(id: string): Promise<void> {
    const { truth } = this.#options;
    const group = this.#groups.get(id);
    if (group === undefined) return;
    this.#close(id);
    const fromMs = performance.now();
    this.#groups.delete(id);
    await group[Symbol.asyncDispose]();
    truth.feeds(id, performance.now());
    this.#open(id, `feed ${id}`, { fromMs, goal: this.#shown(id, "live") });
  }

  /** Lets all run that are starved, and starves no more. */
  async end(): Promise<void> {
    this.#over = true;
    for (const id of [...this.#groups.keys()]) await this.#feed(id);
  }

  async #bye({ id, at }: Act & { kind: "bye" }): Promise<void> {
    const { crew, truth, judge } = this.#options;
    const through = crew.get(at);
    if (through === undefined) return;
    const fromMs = performance.now();
    const target = crew.get(id);
    truth.ends(id);
    if (target?.node.running) target.ending = "bye";
    this.#close(id);
    await requestBye(through, id);
    judge.bury(through, id);
    this.#open(id, `bye ${id}, asked of ${at}`, {
      fromMs,
      goal: this.#shown(id, "decommissioned", `a decommissioned node so${this.#amid()}`),
    });
  }

  async #break(fault: LinkFault): Promise<void> {
    const { place, truth } = this.#options;
    const fromMs = performance.now();
    truth.breaks(fault);
    this.#faults.push(fault);
    await place.setFaults(this.#faults);
    truth.broken(fault, performance.now());
    const text = describeFault(fault);
    if (fault.kind !== "part") return this.#open(text, text, { fromMs });
    const goal = {
      text: "no side shows the other live",
      figure: "a parted side dead to the other",
      met: (observer: string, view: View) => {
        const inside = fault.ids.includes(observer);
        const across = [...view.rows.values()].filter(({ id }) =>
          fault.ids.includes(id) !== inside
        );
        return across.every(({ status }) => status !== "live");
      },
    };
    this.#open(text, text, { fromMs, goal });
  }

  async #mend(fault: LinkFault): Promise<void> {
    const { place, truth, chronicle } = this.#options;
    const text = describeFault(fault);
    truth.mends(fault, performance.now());
    this.#faults.splice(this.#faults.indexOf(fault), 1);
    await place.setFaults(this.#faults);
    truth.mended(fault, performance.now());
    const event = this.#events.get(text);
    if (event === undefined) return;
    const forText = `for ${inSeconds(performance.now() - event.doneMs)}`;
    if (fault.kind === "part") chronicle.close(event);
    else if (event.wrong.size === 0) chronicle.close(event, `${forText}, nobody was called dead`);
    else chronicle.close(event, `${forText}; called dead: ${[...event.wrong].join(", ")}`);
  }

  /** Times amid faults of the network are counted apart; so are those of a node once rejected, which refusals convict no more. */
  #amid(id?: string): string {
    if (this.#faults.length > 0) return ", amid faults of the network";
    const rejected = this.#options.truth.lastMs("reject", id) > -Infinity;
    return rejected ? ", rejected before" : "";
  }

  #shown(id: string, status: string, figure?: string): Goal {
    const met = (observer: string, view: View) =>
      observer === id || view.rows.get(id)?.status === status;
    return figure === undefined ? { text: status, met } : { text: status, met, figure };
  }

  /** Opens the event of a node or fault, in the place of the one before. */
  #open(key: string, text: string, how: { fromMs: number; goal?: Goal }): void {
    this.#close(key);
    this.#events.set(key, this.#options.chronicle.open(text, how));
  }

  #close(key: string): void {
    const event = this.#events.get(key);
    if (event !== undefined) this.#options.chronicle.close(event);
  }
}

/** Says why no process can be starved here; undefined: it can. */
export async function whyNoStarving(): Promise<string | undefined> {
  try {
    await using group = await makeGroup(1);
    await group.addBusy(1);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Process IDs are those of a namespace, where other runs have the same ones: the name is random. */
function makeGroup(share: number): Promise<CpuGroup> {
  return CpuGroup.make(`gossiper-chaos-${crypto.randomUUID()}`, share);
}

async function requestBye({ id: at, address }: Process, id: string): Promise<void> {
  let trouble = "";
  for (let i = 0; i < BYE_TRIES; i++) {
    try {
      const signal = AbortSignal.timeout(BYE_TIMEOUT_MS);
      const response = await fetch(`http://${address}/bye?id=${id}&unknown=yes`, {
        method: "POST",
        signal,
      });
      const text = await response.text();
      if (response.ok) return;
      trouble = `status ${response.status}: ${text}`;
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Violation("3", [at], `${at} does not do /bye?id=${id}: ${trouble}`);
}
