import { nameOf, sourcePaths } from "../support/sources.ts";
import type { Core } from "./world.ts";

/** Production's code with one rule broken. */
export interface Mutation {
  readonly name: string;
  /** The rule it breaks, as the code says it. */
  readonly rule: string;
  readonly file: string;
  /** Found exactly once in the file, and replaced. */
  readonly from: string;
  readonly to: string;
  /** A seed that finds it out; where the code has changed since, one of the next. */
  readonly seed: number;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "merge",
    rule: "the later heartbeat wins",
    file: "table.ts",
    from: "if (heartbeat < row.heartbeat) return",
    to: "if (false) return",
    seed: 1,
  },
  {
    name: "running clock",
    rule: "time in which a node did not run does not count",
    file: "clock.ts",
    from: "if (sinceMs <= 0) return this.#nowMs",
    to: "if (sinceMs > 0) { this.#last = now; this.#nowMs += sinceMs; } return this.#nowMs",
    seed: 14,
  },
  {
    name: "age sum",
    rule: "ages add up hop by hop",
    file: "columns.ts",
    from: "Math.floor(ageMs / HEARTBEAT_STEP_MS)",
    to: "0",
    seed: 12,
  },
  {
    name: "check",
    rule: "ticks count where their check holds",
    file: "ticks_read.ts",
    from: "if (holds) takeTicks",
    to: "if (holds || true) takeTicks",
    seed: 49,
  },
  {
    name: "parts",
    rule: "rosters are repaired where they differ",
    file: "buckets.ts",
    from: "(id) => a[bucketOf(id)] !== b[bucketOf(id)]",
    to: "(id) => a[bucketOf(id)] === b[bucketOf(id)]",
    seed: 8,
  },
  {
    name: "tombstone",
    rule: "a tombstone beats every row",
    file: "table.ts",
    from: "if (this.#tombstones.has(report.id)) return",
    to: "if (false) return",
    seed: 110,
  },
  {
    name: "forgotten",
    rule: "a forgotten heartbeat does not come back",
    file: "forgotten.ts",
    from: "if (kept === undefined && (heartbeat === 0 || ageMs < forgetMs)) return",
    to: "return",
    seed: 161,
  },
  {
    name: "healing",
    rule: "the gone are called now and then",
    file: "partners.ts",
    from: "const GONE_MAX = 8",
    to: "const GONE_MAX = 0",
    seed: 601,
  },
  {
    name: "witnesses",
    rule: "it takes three witnesses",
    file: "charges.ts",
    from: "WITNESSES_NEEDED = 3",
    to: "WITNESSES_NEEDED = 1",
    seed: 12,
  },
  {
    name: "jump past",
    rule: "a restarted node jumps past its former life's heartbeat",
    file: "clock.ts",
    from: "if (stamp < this.#heartbeat) return",
    to: "if (true) return",
    seed: 5,
  },
  {
    name: "rounding",
    rule: "ages are rounded down on the wire",
    file: "columns.ts",
    from: "Math.floor(ageMs /",
    to: "Math.ceil(ageMs /",
    seed: 1,
  },
  {
    name: "left",
    rule: "who announced its stop is not dead",
    file: "evidence.ts",
    from: 'if (row.left !== "") return endOf(row.left).status',
    to: "if (false) return endOf(row.left).status",
    seed: 2,
  },
  {
    name: "accepts",
    rule: "evidence that a host accepts connections lapses",
    file: "accepts.ts",
    from: "return this.lapsesMs(row, nowMs) > nowMs",
    to: "return this.lapsesMs(row, nowMs) > -Infinity",
    seed: 28,
  },
  {
    name: "patience",
    rule: "no silence is believed beyond six dead-afters",
    file: "slow.ts",
    from: "Math.min(silenceMs, mostMs)",
    to: "2 * silenceMs",
    seed: 41,
  },
  {
    name: "farewell",
    rule: "the decommissioned stops",
    file: "leaving.ts",
    from: "if (tombstone === undefined) return",
    to: "if (true) return",
    seed: 11,
  },
  {
    name: "equal dates",
    rule: "of two dates of one heartbeat the earlier counts",
    file: "stamps.ts",
    from: "|| saidAtMs < knownAtMs",
    to: "|| saidAtMs > knownAtMs",
    seed: 23,
  },
  {
    name: "steady",
    rule: "a member that falls silent is not steady",
    file: "verdicts.ts",
    from: "steady[i] = 0;",
    to: "",
    seed: 135,
  },
  {
    name: "roster hash",
    rule: "rosters that differ are sent whole",
    file: "roster.ts",
    from: "return `${row.id} ${row.address} ${row.boot} ${row.left}",
    to: "return `${row.id} ${row.left}",
    seed: 217,
  },
  {
    name: "words",
    rule: "what members say of themselves is a part of the roster",
    file: "roster.ts",
    from: "row.about === undefined ?",
    to: "true ?",
    seed: 332,
  },
  {
    name: "own answer",
    rule: "what a member answers of its own clock is believed",
    file: "belief.ts",
    from: "return isAnswer ||",
    to: "return",
    seed: 59,
  },
  {
    name: "returns",
    rule: "a clock far ahead is believed of whoever is not live",
    file: "belief.ts",
    from: "&& !isLive",
    to: "&& isLive",
    seed: 2,
  },
  {
    name: "done",
    rule: "what was told is gossiped",
    file: "tidings.ts",
    from: "...told.length > 0 && { told }",
    to: "...{}",
    seed: 91,
  },
  {
    name: "key",
    rule: "the key of a change holds no time",
    file: "duty.ts",
    from: "keyOf(names[i]!), nowMs)",
    to: "`${keyOf(names[i]!)}${nowMs}`, nowMs)",
    seed: 33,
  },
  {
    name: "turns",
    rule: "the second owner waits for the first",
    file: "turns.ts",
    from: "const TURN_MS = 2_000",
    to: "const TURN_MS = 0",
    seed: 226,
  },
  {
    name: "start",
    rule: "a start tells nothing",
    file: "listening.ts",
    from: "this.#untilMs = nowMs + pace.deadAfterMs + SETTLE_INTERVALS * pace.longestIntervalMs",
    to: "this.#untilMs = nowMs",
    seed: 2,
  },
  {
    name: "quiet",
    rule: "hooks hold their tongue about members that are to be quiet",
    file: "duty.ts",
    from: "isMute || this.#tidings.quiets.of(id, nowMs) !== undefined",
    to: "isMute",
    seed: 35,
  },
  {
    name: "shrinking",
    rule: "dead-after shrinks once all beat faster",
    file: "pace.ts",
    from: "this.#greatest = Math.max(this.#greatest, greatest)",
    to: "this.#greatest = greatest",
    seed: 412,
  },
  {
    name: "younger",
    rule: "no change of the pace brings anybody back",
    file: "verdicts.ts",
    from: "const isShownSilent = isShownDead ||",
    to: "const isShownSilent = false &&",
    seed: 311,
  },
  {
    name: "memory",
    rule: "a state file brings tombstones back",
    file: "host/state_format.ts",
    from: "replica.bury(tombstone.id, tombstone.by, nowMs)",
    to: "void tombstone",
    seed: 145,
  },
];

/** Copies the brain to a temporary folder, breaks one rule in it, and loads it; `use` it before it is deleted. */
export async function withMutant<T>(mutation: Mutation, use: (core: Core) => T): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "gossiper_mutant_" });
  try {
    for (const path of await sourcePaths()) {
      const name = nameOf(path);
      const source = await Deno.readTextFile(path);
      await Deno.mkdir(`${folder}/${name}`.replace(/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(
        `${folder}/${name}`,
        name === `lib/${mutation.file}` ? broken(source, mutation) : source,
      );
    }
    return use(await loadCore(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Loads the brain that is in a folder. */
export async function loadCore(folder: string): Promise<Core> {
  const load = (file: string) => import(`file://${folder}/lib/${file}`);
  const { Gossip } = await load("gossip.ts");
  const { Driver } = await load("net/driver.ts");
  const { snapshot, restore } = await load("host/state_format.ts");
  return { Gossip, Driver, snapshot, restore };
}

function broken(source: string, { name, file, from, to }: Mutation): string {
  const count = source.split(from).length - 1;
  if (count !== 1) {
    throw new Error(
      `Cannot break rule '${name}': lib/${file} must hold "${from}" once, and does ${count} times. ` +
        "Bring tests/sim/mutants.ts up to date",
    );
  }
  return source.replace(from, () => to);
}
