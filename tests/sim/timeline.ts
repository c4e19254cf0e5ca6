import type { Status } from "../../lib/table.ts";
import { describeAct } from "./act.ts";
import type { TimedAct } from "./plan.ts";
import type { World } from "./world.ts";

/** How often the world is looked at; lines that would repeat the one before are left out. */
const SAMPLE_MS = 250;

const GLYPHS: Readonly<Record<Status, string>> = {
  live: "o",
  dead: "x",
  unresponsive: "!",
  failing: "f",
  left: "<",
  decommissioned: "#",
  unknown: "?",
};

/** What the glyphs of a timeline mean, in lines. */
export const LEGEND = [
  "A column a node: how most of the others see it, and what it really does.",
  "o live   x dead   ! unresponsive   f failing   < left   # decommissioned   ? unknown   . not in the table",
  "* others see it otherwise   z does not get to run   ! does not exist (any more)",
];

/** A run as text: a line whenever what the nodes see of each other changes, with what was done to them. */
export class Timeline {
  readonly #world: World;
  readonly #ids: readonly string[];
  readonly #lines: string[] = [];
  readonly #pending: TimedAct[];
  #last = "";

  constructor(world: World, acts: readonly TimedAct[]) {
    this.#world = world;
    const starts = acts.flatMap((act) => act.kind === "start" ? [act.node.id] : []);
    this.#ids = [...new Set(starts)].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
    this.#pending = [...acts];
    this.#sample();
  }

  /** The lines so far, the present included. */
  lines(): string[] {
    this.#look();
    const widths = this.#ids.map((id) => id.padEnd(3));
    return [`${"s".padStart(7)}  ${widths.join(" ")}`, ...this.#lines];
  }

  #sample(): void {
    this.#look();
    this.#world.at(this.#world.nowMs + SAMPLE_MS, () => this.#sample());
  }

  #look(): void {
    const { nowMs } = this.#world;
    const done: TimedAct[] = [];
    while (this.#pending.length > 0 && this.#pending[0]!.atMs <= nowMs) {
      done.push(this.#pending.shift()!);
    }
    const cells = this.#ids.map((id) => this.#cell(id).padEnd(3)).join(" ");
    if (cells === this.#last && done.length === 0) return;
    this.#last = cells;
    const [first, ...rest] = done.map((act) => describeAct(act));
    const seconds = (nowMs / 1000).toFixed(2).padStart(7);
    this.#lines.push(`${seconds}  ${cells}  ${first ?? ""}`.trimEnd());
    const indent = " ".repeat(seconds.length + 2 + cells.length + 2);
    for (const text of rest) this.#lines.push(indent + text);
  }

  #cell(id: string): string {
    const votes = new Map<string, number>();
    for (const node of this.#world.up()) {
      if (node.id === id) continue;
      const { table } = node.gossip.replica;
      const row = table.get(id);
      const status = table.tombstone(id) !== undefined
        ? "decommissioned"
        : row && node.gossip.statusOf(row);
      const glyph = status === undefined ? "." : GLYPHS[status];
      votes.set(glyph, (votes.get(glyph) ?? 0) + 1);
    }
    const [most = "."] = [...votes].sort((a, b) => b[1] - a[1]).map(([glyph]) => glyph);
    const host = this.#world.host(id);
    const really = !host?.up ? "!" : host.healthySinceMs === Infinity ? "z" : "";
    return most + (votes.size > 1 ? "*" : "") + really;
  }
}
