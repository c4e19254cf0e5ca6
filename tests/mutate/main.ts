/**
 * `deno task mutate`: how many small changes of meaning the tests notice.
 *
 *     deno task mutate                        a sample of 100 from all of lib/, seed 1
 *     deno task mutate --sample 500 --seed 7  another sample
 *     deno task mutate lib/charges.ts         every mutant of some files
 *     deno task mutate lib/charges.ts:41      those of one line
 *     deno task mutate lib/net/ --sample 24   a sample of one folder
 *     deno task mutate --least 95             exits with 1 if fewer per cent are killed
 *
 * Each mutant is run against the nearest tests: those that mirror its file, then those that import it, those of its
 * folder, whole nodes, and those of the folders that use it. A survivor is a rule that no test holds, or a change that
 * changes nothing: look at each.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Dice } from "../support/dice.ts";
import { nameOf, sourcePaths } from "../support/sources.ts";
import { apply, describe, type Mutant, mutantsOf } from "./mutants.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * A mutant that hangs is noticed: its tests run for this many times as long as without a mutant, and for a minute at
 * least. On a busy machine a fixed time would count mutants as noticed that no test notices.
 */
const SLOWER = 4;
const TIMEOUT_MIN_MS = 60_000;

/** Tests of whole processes may fail on a busy machine: those that do so each time are left out. */
const SOUND_TRIES = 3;

/** Mutants run at one time, each in a copy of its own. */
const WORKERS = 2;

const SAMPLE = 100;

/** Tests of whole processes that hold what a folder does with the machine. */
const PROCESS_TESTS: Readonly<Record<string, readonly string[]>> = {
  "cli/": ["cli", "names"],
  "net/": ["keyed_cluster", "tls"],
  "host/": ["process", "program", "past", "restart", "tls"],
  "http/": ["crowd", "download", "tls"],
  "report/": ["metrics", "past", "process"],
};

/** Files that only start others; tests of all kinds hold them. */
const WIRING = ["main.ts", "lib/run/run.ts", "lib/run/running_node.ts"];

/** Tests of documents and of the sources' text, which no change of meaning fails. */
const OF_TEXTS = /\/(?:readme|words|architecture|packages)_test\.ts$/;

/** What the copy needs. */
const COPIED = [
  "deno.json",
  "deno.lock",
  "main.ts",
  "README.md",
  ".github",
  "lib",
  "static",
  "tests",
];

/** Where a copy's tests keep their temporary files: a mutant that is stopped leaves some, which others must not find. */
const TEMPORARY = "temporary";

const args = parseArgs(Deno.args, { string: ["_", "sample", "seed", "least"] }) as {
  readonly _: readonly unknown[];
  readonly sample?: string;
  readonly seed?: string;
  readonly least?: string;
};
const places = args._.map(String);
const seed = args.seed ?? "1";
const least = Number(args.least ?? 0);
if (!(least >= 0 && least <= 100)) {
  console.error(`Give --least as a number of per cent, not '${args.least}'`);
  Deno.exit(2);
}
const sample = Number(args.sample ?? (places.length > 0 ? Infinity : SAMPLE));

const files = (await sourcePaths()).map(nameOf).filter((file) => !WIRING.includes(file));
const all: Mutant[] = [];
for (const file of files) {
  all.push(...mutantsOf(file, await Deno.readTextFile(ROOT + file)).filter(isWanted));
}
const chosen = sample === Infinity ? all : new Dice(seed).shuffled(all).slice(0, sample);
console.log(`${chosen.length} of ${all.length} mutants, seed ${seed}`);

/** Ms that tests take without any mutant; undefined where they fail then, as they would notice everything. */
const sound = new Map<string, Promise<number | undefined>>();

const survivors: Mutant[] = [];
const hung: Mutant[] = [];
let done = 0;
const queue = [...chosen];
await Promise.all(Array.from({ length: WORKERS }, work));
const killed = chosen.length - survivors.length;
const share = 100 * killed / chosen.length;
console.log(
  `\nkilled ${killed} of ${chosen.length} (${
    share.toFixed(1)
  } %), ${hung.length} of them by hanging`,
);
for (const survivor of survivors) console.log(`survived  ${describe(survivor)}`);
// A share of nothing is not a number, and fails as well.
if (!(share >= least)) {
  console.log(`That is less than the ${least} % that --least asks for`);
  Deno.exit(1);
}

/** Without places all are; a place is a file, one of its lines, or a folder with its slash. */
function isWanted({ file, line }: Mutant): boolean {
  const holds = (place: string) =>
    place.endsWith("/") ? file.startsWith(place) : [file, `${file}:${line}`].includes(place);
  return places.length === 0 || places.some(holds);
}

async function work(): Promise<void> {
  const copy = await Deno.makeTempDir({ prefix: "gossiper_mutate_" });
  try {
    const { success } = await run("cp", ["-r", ...COPIED, copy], ROOT);
    if (!success) throw new Error(`Cannot copy the sources to ${copy}`);
    await Deno.mkdir(`${copy}/${TEMPORARY}`);
    for (let mutant; (mutant = queue.shift()) !== undefined;) {
      if (await survives(mutant, copy)) {
        survivors.push(mutant);
        console.log(`survived  ${describe(mutant)}`);
      }
      if (++done % 10 === 0) console.log(`${done} run, ${survivors.length} survived`);
    }
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

async function survives(mutant: Mutant, copy: string): Promise<boolean> {
  const path = `${copy}/${mutant.file}`;
  const source = await Deno.readTextFile(path);
  for (const tests of nearest(mutant.file)) {
    const key = tests.join(" ");
    if (!sound.has(key)) sound.set(key, measure(tests, copy));
    const soundMs = await sound.get(key)!;
    if (soundMs === undefined) continue;
    const timeoutMs = Math.max(TIMEOUT_MIN_MS, SLOWER * soundMs);
    await Deno.writeTextFile(path, apply(source, mutant));
    try {
      const end = await test(tests, copy, timeoutMs);
      if (end === "hung") hung.push(mutant);
      if (end !== "passed") return false;
    } finally {
      await Deno.writeTextFile(path, source);
    }
  }
  return true;
}

async function measure(tests: readonly string[], copy: string): Promise<number | undefined> {
  for (let tries = 0; tries < SOUND_TRIES; tries++) {
    const startMs = performance.now();
    if (await test(tests, copy) === "passed") return performance.now() - startMs;
  }
  console.log(`left out, as they fail without a mutant: ${tests.join(" ")}`);
  return undefined;
}

/**
 * Tests to run in turn until one fails: the file's own, those that import it, all of its folder, whole nodes, and those
 * of the folders that use it.
 */
function nearest(file: string): string[][] {
  const [, folder = "", name = ""] = /^lib\/(.*?)([^/]+)\.tsx?$/.exec(file) ?? [];
  const own = `tests/${folder}${name}_test.ts`;
  const others =
    (existsSync(`tests/${folder}`) ? [...Deno.readDirSync(`${ROOT}tests/${folder}`)] : [])
      .map((entry) => `tests/${folder}${entry.name}`)
      .filter((path) => path.endsWith("_test.ts") && !OF_TEXTS.test(path) && path !== own);
  const imports = (path: string) =>
    Deno.readTextFileSync(ROOT + path).includes(`/lib/${folder}${name}.ts"`);
  const importers = others.filter(imports);
  const around = others.filter((path) => !importers.includes(path));
  const whole = folder === ""
    ? ["tests/sim/scenario_test.ts", "tests/sim/sim_test.ts"]
    : ["e2e", "page_wiring", ...PROCESS_TESTS[folder] ?? []]
      .map((name) => `tests/process/${name}_test.ts`)
      .concat(folder === "http/" ? [] : "tests/http");
  return [[own], importers, around, whole, testsOfUsers(file)]
    .map((tests) => tests.filter((path) => existsSync(path)))
    .filter((tests) => tests.length > 0);
}

/** The tests of the other folders of lib/ that import a file. */
function testsOfUsers(file: string): string[] {
  const name = file.split("/").at(-1)!;
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  const users = files.filter((path) =>
    folderOf(path) !== folderOf(file) && folderOf(path) !== "lib/" &&
    Deno.readTextFileSync(ROOT + path).includes(`/${name}"`)
  );
  return [...new Set(users.map((path) => folderOf(path).replace(/^lib/, "tests")))];
}

async function test(
  tests: readonly string[],
  copy: string,
  timeoutMs?: number,
): Promise<"passed" | "failed" | "hung"> {
  const flags = ["test", "-A", "--quiet", "--no-check", "--fail-fast"];
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const env = { TMPDIR: `${copy}/${TEMPORARY}` };
  const { success } = await run(Deno.execPath(), [...flags, ...tests], copy, { env, signal });
  return success ? "passed" : signal?.aborted ? "hung" : "failed";
}

function existsSync(path: string): boolean {
  try {
    return Deno.statSync(ROOT + path) !== undefined;
  } catch {
    return false;
  }
}

async function run(
  program: string,
  args: string[],
  cwd: string,
  { env = {}, signal }: { env?: Record<string, string>; signal?: AbortSignal | undefined } = {},
): Promise<{ success: boolean }> {
  const options = { args, cwd, env, stdout: "null", stderr: "null", stdin: "null" } as const;
  return await new Deno.Command(program, { ...options, ...signal && { signal } }).output();
}
