/**
 * Whether each change is told once, by real nodes in namespaces: `deno task bench:told [SEED]`, as root, in twenty minutes.
 *
 * 200 changes drawn from the seed: in 50 of them the node whose turn it is is killed in the same second, and for 20 the
 * receiver is down for a minute. Then halves are parted, and a member's link comes and goes.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "@std/cli/parse-args";
import { inOrder } from "../../lib/turns.ts";
import { Namespaces } from "../chaos/namespaces.ts";
import { Dice } from "../support/dice.ts";
import { runApart } from "./apart.ts";
import { summary, table } from "./measure.ts";
import { Carriers, HOOK, Pager } from "./pager.ts";

const NODES = 16;

/** Rounds of each kind: a death and a return are two changes, of two members four. */
const PLAIN_ROUNDS = 30;
const OWNER_ROUNDS = 25;
const OUTAGES = 4;

/** Members that are killed while the receiver is down. */
const OUTAGE_DEATHS = 5;
const OUTAGE_MS = 60_000;

/** What follows many changes told together waits for others for five seconds. */
const STORM_MS = 6_000;

/** Longer than anybody should wait for a call. */
const TOLD_MS = 60_000;

/** A start tells nothing for so long: dead-after and two intervals, and a little more. */
const WARM_UP_MS = 9_000;

/** Later calls are printed. */
const SLOW_MS = 1_000;

const FLAP_MS = 20_000;
const FLAPS = 4;

type Rows = [string, string][];

/** A change that should be told. */
interface Due {
  readonly id: string;
  readonly to: "dead" | "live";
  readonly kind: "plain" | "owner" | "outage" | "return";
  /** When it was caused. */
  readonly causedMs: number;
  /** When a node's log first told of it. */
  readonly seenMs: number;
}

const options = parseArgs(Deno.args, { boolean: ["inside"], string: ["_"] });
if (!options.inside) Deno.exit(await runApart(import.meta.filename!));
const dice = new Dice(String(options._[0] ?? 1));
const place = new Namespaces();
console.log(table([...await measureChanges(), ...await measureHalves(), ...await measureFlaps()]));

async function measureChanges(): Promise<Rows> {
  await using pager = new Pager();
  await using carriers = await Carriers.start({ place, pager, count: NODES });
  const { fleet } = carriers;
  await pause(WARM_UP_MS);
  const due: Due[] = [];
  const kinds = dice.shuffled([
    ...Array.from({ length: PLAIN_ROUNDS }, () => "plain" as const),
    ...Array.from({ length: OWNER_ROUNDS }, () => "owner" as const),
    ...Array.from({ length: OUTAGES }, () => "outage" as const),
  ]);
  for (const kind of kinds) {
    const { running } = fleet;
    const owner = inOrder(HOOK, running.map(({ id }) => id))[0]!;
    const others = dice.shuffled(running.map(({ id }) => id).filter((id) => id !== owner));
    const ids = kind === "plain"
      ? [dice.pick(running).id]
      : kind === "owner"
      ? [others[0]!, owner]
      : others.slice(0, OUTAGE_DEATHS);
    pager.isDown = kind === "outage";
    const diedMs = performance.now();
    for (const id of ids) {
      running.find((node) => node.id === id)!.kill("SIGKILL");
      // The one whose turn it is dies in the same second: before it told, while it does, or after.
      if (kind === "owner" && id !== owner) await pause(dice.between(0, 1_000));
    }
    if (kind === "outage") {
      await pause(OUTAGE_MS);
      pager.isDown = false;
    }
    await settle(ids, "dead", kind, diedMs);
    await pause(STORM_MS);
    const backMs = performance.now();
    for (const id of ids) await carriers.add(id);
    await settle(ids, "live", "return", backMs);
    // A carrier that just started tells nothing yet.
    await pause(WARM_UP_MS);
  }
  return rowsOf(due, pager);

  async function settle(ids: string[], to: Due["to"], kind: Due["kind"], causedMs: number) {
    const untilMs = performance.now() + TOLD_MS;
    const isTold = () => ids.every((id) => pager.told(id, to, causedMs).length > 0);
    while (!isTold() && performance.now() < untilMs) await pause(50);
    for (const id of ids) {
      const times = fleet.running.filter((node) => node.id !== id).flatMap((node) =>
        (node.sights.get(id) ?? []).filter(({ status, atMs }) => status === to && atMs >= causedMs)
      );
      const seenMs = Math.min(...times.map(({ atMs }) => atMs));
      due.push({ id, to, kind, causedMs, seenMs });
    }
  }
}

function rowsOf(due: readonly Due[], pager: Pager): Rows {
  let delivered = 0;
  let doubled = 0;
  let keys = 0;
  const lates: Record<Due["kind"], number[]> = { plain: [], owner: [], outage: [], return: [] };
  for (const { id, to, kind, causedMs, seenMs } of due) {
    const next = due.find((other) => other.id === id && other.causedMs > causedMs);
    const calls = pager.told(id, to, causedMs).filter(({ atMs }) =>
      atMs < (next?.causedMs ?? Infinity)
    );
    if (calls.length === 0) {
      console.log(`not told: ${id} is ${to}`);
      continue;
    }
    delivered++;
    if (calls.length > 1) doubled++;
    if (new Set(calls.map(({ key }) => key)).size > 1) keys++;
    const lateMs = calls[0]!.atMs - seenMs;
    lates[kind].push(lateMs);
    if (lateMs > SLOW_MS) {
      console.log(`${id} is ${to}, ${kind}: told by ${calls[0]!.by} after ${lateMs.toFixed(0)} ms`);
    }
  }
  const within = (values: number[], ms: number) =>
    `${values.filter((value) => value <= ms).length} of ${values.length}`;
  return [
    ["changes told", `${delivered} of ${due.length}`],
    ["told more than once; under more than one key", `${doubled}; ${keys}`],
    ["told after the first log line: deaths, nobody else died", summary(lates.plain)],
    ["... within 1 s", within(lates.plain, 1_000)],
    ["told after the first log line: returns", summary(lates.return)],
    ["... within 1 s", within(lates.return, 1_000)],
    ["told after the first log line: its teller died", summary(lates.owner)],
    ["... within 3 s", within(lates.owner, 3_000)],
    ["told after the first log line: the receiver was down for 60 s", summary(lates.outage)],
    [
      "messages",
      String(new Set(pager.calls.map(({ atMs, message }) => `${atMs} ${message}`)).size),
    ],
  ];
}

/** Two halves that are parted each tell the other's deaths once, and all returns are told once. */
async function measureHalves(): Promise<Rows> {
  await using pager = new Pager();
  await using carriers = await Carriers.start({ place, pager, count: NODES });
  await pause(WARM_UP_MS);
  const ids = carriers.fleet.nodes.map(({ id }) => id);
  const half = new Set(ids.slice(0, NODES / 2));
  await place.setFaults([{ kind: "part", ids: [...half] }]);
  await pause(3 * WARM_UP_MS);
  const parted = pager.calls.splice(0);
  await place.setFaults([]);
  await pause(3 * WARM_UP_MS);
  const wrong = parted.filter(({ by, id, to }) => to !== "dead" || half.has(by) === half.has(id));
  return [
    ["halves parted: deaths told once, of 16", countOnce(parted, ids, "dead")],
    ["... anything else told", String(wrong.length)],
    ["... messages", String(new Set(parted.map(({ message }) => message)).size)],
    ["healed: returns told once, of 16", countOnce(pager.calls, ids, "live")],
  ];
}

function countOnce(calls: Pager["calls"], ids: readonly string[], to: string): string {
  const times = ids.map((id) => calls.filter((call) => call.id === id && call.to === to).length);
  return `${times.filter((count) => count === 1).length}, more than once ${
    times.filter((count) => count > 1).length
  }`;
}

/** A member that comes and goes, where only what lasts is told. */
async function measureFlaps(): Promise<Rows> {
  await using pager = new Pager();
  const flags = ["-tell-after", "30s"];
  await using carriers = await Carriers.start({ place, pager, count: NODES, flags });
  await pause(WARM_UP_MS);
  const { id } = carriers.fleet.nodes.at(-1)!;
  const sinceMs = performance.now();
  for (let i = 0; i < FLAPS; i++) {
    await place.setFaults([{ kind: "part", ids: [id] }]);
    await pause(FLAP_MS);
    await place.setFaults([]);
    await pause(FLAP_MS);
  }
  const seen = carriers.fleet.nodes[0]!.sights.get(id)!.filter(({ atMs }) => atMs > sinceMs);
  return [
    [
      `calls about a member whose link is 20 s up and 20 s down, told after 30 s (${seen.length} changes seen by n1)`,
      String(pager.calls.filter((call) => call.id === id).length),
    ],
    ["... about others", String(pager.calls.filter((call) => call.id !== id).length)],
  ];
}
