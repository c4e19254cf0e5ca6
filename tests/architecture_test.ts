/**
 * The architecture, checked over the source.
 *
 *     lib/*.ts  <  config  <  net  <  report  <  page, host  <  http  <  dns  <  run, cli  <  main.ts
 *
 * A file imports from its own folder and from lower ones; page and host do not know each other, nor do run and cli. The
 * commands in cli know a node only by HTTP. The core, the pages and
 * what PURE_FOLDERS names are pure. Files stay small, and comment lines short.
 */
import { assertEquals } from "@std/assert";
import { nameOf, sourcePaths } from "./support/sources.ts";

/** From the bottom up; folders of one floor do not import each other. */
const FLOORS = [
  ["lib/std"],
  ["lib"],
  ["lib/config"],
  ["lib/net"],
  ["lib/report"],
  ["lib/page", "lib/host"],
  ["lib/http"],
  ["lib/dns"],
  ["lib/run", "lib/cli"],
  ["."],
];

/** Parts of a node, which a command must not load; it reads files as a node does. */
const NODE_PARTS = /^lib\/(?:page|host|http|dns)\/(?!files\.ts$)/;

/** No clock, dice, network, file or timer in any file of these folders. */
const PURE_FOLDERS = ["lib", "lib/config", "lib/page"];

/** Nor in these, whose neighbours need them. */
const PURE_FILES = [
  "lib/net/answer_reader.ts",
  "lib/net/driver.ts",
  "lib/net/exchange_timeout.ts",
  "lib/cli/read.ts",
  "lib/cli/at.ts",
  "lib/cli/details.ts",
  "lib/cli/completions.ts",
  "lib/cli/event_stream.ts",
  "lib/cli/parse.ts",
  "lib/cli/show.ts",
  "lib/report/stories.ts",
  "lib/report/strips.ts",
  "lib/report/members.ts",
  "lib/report/metrics.ts",
  "lib/report/prometheus.ts",
  "lib/report/targets.ts",
  "lib/report/live.ts",
  "lib/report/named.ts",
  "lib/report/remarks.ts",
  "lib/report/contacts.ts",
  "lib/report/quiet.ts",
  "lib/report/hook_metrics.ts",
  "lib/report/told_log.ts",
  "lib/host/state_format.ts",
  "lib/host/state_told.ts",
  "lib/host/check_verdict.ts",
  "lib/host/hook_words.ts",
  "lib/http/answers.ts",
  "lib/http/browsers.ts",
  "lib/http/waiting.ts",
  "lib/dns/zone.ts",
];

/** What a pure file may not say, and what to do instead. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\bDeno\./, "take what it gives as an argument, return what it should do as a value"],
  [/\bDate\.now\b|\bnew Date(?!\w|\()|\bnew Date\(\s*\)/, "take the time as an argument"],
  [/\bperformance\./, "take the monotonic time as an argument"],
  [/\bMath\.random\b|\bcrypto\./, "take the random source as an argument"],
  [/\bfetch\(/, "return the exchange to make; the driver makes it"],
  [/\bset(?:Timeout|Interval)\b/, "return when to wake up next; the driver waits"],
  [/\bconsole\./, "return the line to log"],
];

/** Where packages come in; those in the second have no effects of their own. */
const STD = /^lib\/std\//;
const PURE_STD = /^lib\/std\/(?:cli|text)\//;

/** The only files besides lib/std that name a package: all others would need an import map, which not every way in has. */
const NAME_PACKAGES = ["lib/http/hono.ts", "lib/dns/dns_packet.ts"];

/** Past this a file wants a second noun. */
const LINES_MAX = 250;

/** Names that each part of the program has: where it is entered. */
const ENTRIES = ["main"];

/** A comment line that is longer is two lines. */
const COMMENT_COLUMNS_MAX = 120;

/** One sentence for each place where a file leaves the architecture. */
function findViolations(file: string, source: string): string[] {
  const found: string[] = [];
  const code = withoutComments(source);
  const isPure = PURE_FOLDERS.includes(folderOf(file)) || PURE_FILES.includes(file);
  if (floorOf(file) < 0) found.push(`${file} is in no known folder: see FLOORS`);
  for (const [, specifier = ""] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"\s]+)"/g)) {
    const target = specifier.startsWith(".") ? resolve(file, specifier) : undefined;
    if (target !== undefined && !mayImport(file, target)) {
      found.push(`${file} imports ${target}, which is not below it: pass it in, or move it down`);
    }
    const isPackage = target === undefined && !specifier.startsWith("node:");
    if (isPackage && !NAME_PACKAGES.includes(file)) {
      found.push(`${file} imports ${specifier}: go through lib/std or ${NAME_PACKAGES}`);
    }
    const isImpure = target === undefined || (STD.test(target) && !PURE_STD.test(target));
    if (isPure && isImpure && !isPackage) {
      found.push(`${file} is pure but imports ${specifier}: pass in what it needs`);
    }
  }
  source.trimEnd().split("\n").forEach((line, i, { length }) => {
    if (i === LINES_MAX) found.push(`${file} has ${length} lines: is there a second noun?`);
    const isComment = /^\s*(?:\/\/|\/\*|\*)/.test(line);
    if (isComment && line.length > COMMENT_COLUMNS_MAX) {
      found.push(`${file}:${i + 1} is a comment of ${line.length} columns: break the line`);
    }
  });
  code.split("\n").forEach((line, i) => {
    for (const [pattern, instead] of isPure ? BANNED : []) {
      const match = pattern.exec(line);
      if (match) found.push(`${file}:${i + 1} is pure but says ${match[0]}: ${instead}`);
    }
  });
  return found;
}

function mayImport(file: string, target: string): boolean {
  // Data, and what the browser and the server share.
  if (target === "deno.json" || target.endsWith("/build.json")) return true;
  if (/^static\/(?:words|lists|squares)\.js$/.test(target)) return true;
  if (folderOf(file) === "lib/cli" && NODE_PARTS.test(target)) return false;
  const [from, to] = [floorOf(file), floorOf(target)];
  return to >= 0 && (to < from || folderOf(file) === folderOf(target));
}

function floorOf(file: string): number {
  const folder = folderOf(file).replace(/^lib\/std\/.*/, "lib/std");
  return FLOORS.findIndex((folders) => folders.includes(folder));
}

function folderOf(file: string): string {
  return file.includes("/") ? file.replace(/\/[^/]*$/, "") : ".";
}

function resolve(file: string, specifier: string): string {
  return new URL(specifier, `file:///${file}`).pathname.slice(1);
}

/** Each circle of imports once, found by walking down from every file. */
function findCircles(sources: ReadonlyMap<string, string>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (path.includes(file) || done.has(file)) return;
    const code = withoutComments(sources.get(file) ?? "");
    for (const [, specifier = ""] of code.matchAll(/\bfrom\s*"(\.[^"\n]+)"/g)) {
      walk(resolve(file, specifier), [...path, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) walk(file, []);
  return circles;
}

/** Names that two files give: types, classes, and all that is exported. */
function findDoubleNames(sources: ReadonlyMap<string, string>): string[] {
  const declared =
    /^(?:export (?:async )?(?:function\*?|const)|(?:export )?(?:type|interface|class)) (\w+)/gm;
  const files = new Map<string, string[]>();
  for (const [file, source] of sources) {
    const names = new Set([...withoutComments(source).matchAll(declared)].map(([, name]) => name!));
    for (const name of names) files.set(name, [...files.get(name) ?? [], file]);
  }
  return [...files].filter(([name, { length }]) => length > 1 && !ENTRIES.includes(name))
    .map(([name, [first, second]]) => `${name} is of ${first} and ${second}: name them apart`);
}

/** The code with its lines where they were; strings stay, so that `http://` in one begins no comment. */
function withoutComments(source: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (text) => text.startsWith("/") ? text.replace(/[^\n]/g, " ") : text);
}

async function readSources(): Promise<Map<string, string>> {
  const paths = await sourcePaths();
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(path)));
  return new Map(paths.map((path, i) => [nameOf(path), texts[i]!]));
}

Deno.test("imports point down, pure files are pure, and files and comment lines are short", async () => {
  const sources = await readSources();
  assertEquals([...sources].flatMap(([file, source]) => findViolations(file, source)), []);
  assertEquals(findCircles(sources), []);
});

Deno.test("no two files give types, classes or what they export the same name", async () => {
  const sources = await readSources();
  const lib = [...sources].filter(([file]) => !file.startsWith("lib/std/"));
  assertEquals(findDoubleNames(new Map(lib)), []);
});

Deno.test("main.ts loads the commands only when one is asked for", async () => {
  const code = withoutComments((await readSources()).get("main.ts")!);
  assertEquals([...code.matchAll(/\bfrom "([^"]+)"/g)].map(([, file]) => file), [
    "./lib/host/debugger.ts",
    "./lib/run/run.ts",
  ]);
  assertEquals([...code.matchAll(/import\("([^"]+)"\)/g)].map(([, file]) => file), [
    "./lib/cli/cli.ts",
  ]);
});

Deno.test("a node loads what few nodes need only where its flags ask for it", async () => {
  const sources = await readSources();
  const code = ["run", "running_node", "optional_parts"].map((file) =>
    withoutComments(sources.get(`lib/run/${file}.ts`)!)
  ).join();
  assertEquals([...code.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, file]) => file), [
    "./user_process.ts",
    "../host/processes.ts",
    "../host/teller.ts",
    "../dns/server.ts",
  ]);
  const others = [...code.matchAll(/\bimport (?!type )[^;]* from "([^"]+)"/g)].map(([, f]) => f!);
  assertEquals(
    others.filter((file) => /user_process|check|child|processes|teller|shell|hook_/.test(file)),
    [],
  );
});

/** Checks that the source is faulted with sentences that begin like these, and with no other. */
function assertFaults(file: string, source: string, beginnings: string[]): void {
  const found = findViolations(file, source);
  assertEquals(found.map((text, i) => text.slice(0, beginnings[i]?.length)), beginnings);
}

Deno.test("the architecture check sees an import that points up or aside, and a circle", () => {
  assertFaults("lib/table.ts", 'import { Driver } from "./net/driver.ts";', [
    "lib/table.ts imports lib/net/driver.ts, which is not below it",
  ]);
  assertFaults("lib/page/page.tsx", 'import type { Node } from "../host/node.ts";', [
    "lib/page/page.tsx imports lib/host/node.ts, which is not below it",
  ]);
  assertFaults("lib/net/driver.ts", 'import type { Gossip } from "../gossip.ts";', []);
  assertFaults("lib/cli/cli.ts", 'import { Node } from "../host/node.ts";', [
    "lib/cli/cli.ts imports lib/host/node.ts, which is not below it",
  ]);
  assertFaults("lib/cli/cli.ts", 'import { main } from "../run/run.ts";', [
    "lib/cli/cli.ts imports lib/run/run.ts, which is not below it",
  ]);
  assertFaults("lib/cli/cli.ts", 'import { readText } from "../host/files.ts";', []);
  assertFaults("lib/novel/new.ts", "", ["lib/novel/new.ts is in no known folder"]);
  const circle = new Map([
    ["lib/a.ts", 'import { b } from "./b.ts";'],
    ["lib/b.ts", 'export * from "./a.ts";'],
  ]);
  assertEquals(findCircles(circle), ["lib/a.ts -> lib/b.ts -> lib/a.ts"]);
});

Deno.test("the architecture check sees two meanings of a name, but not what a file keeps to itself", () => {
  const sources = (a: string, b: string) => new Map([["lib/a.ts", a], ["lib/net/b.ts", b]]);
  const fault = (name: string) => [`${name} is of lib/a.ts and lib/net/b.ts: name them apart`];
  const doubleNames = (a: string, b: string) => findDoubleNames(sources(a, b));
  assertEquals(doubleNames("export class Room {}", "interface Room {}"), fault("Room"));
  assertEquals(doubleNames("export const MAX = 1;", "export const MAX = 2;"), fault("MAX"));
  assertEquals(
    doubleNames("export async function get() {}", "export function get() {}"),
    fault("get"),
  );
  assertEquals(doubleNames("export const MAX = 1;", "const MAX = 2;"), []);
  assertEquals(doubleNames("export function main() {}", "export function main() {}"), []);
  assertEquals(doubleNames("// export class Room {}", "class Room {}"), []);
});

Deno.test("the architecture check sees what is impure, but not in comments", () => {
  const impure = [
    ["const a = Deno.args;", "Deno."],
    ["const a = Date.now();", "Date.now"],
    ["const a = new Date();", "new Date()"],
    ["const a = Math.random();", "Math.random"],
    ['const a = await fetch("http://a"); // why', "fetch("],
    ["setTimeout(f, 1);", "setTimeout"],
    ["setInterval(f, 1);", "setInterval"],
    ["performance.now();", "performance."],
    ["console.log(1);", "console."],
    ["crypto.randomUUID();", "crypto."],
  ] as const;
  for (const [code, said] of impure) {
    assertFaults("lib/table.ts", `// 1\n${code}\n`, [`lib/table.ts:2 is pure but says ${said}:`]);
    assertFaults("lib/net/transport.ts", code, []);
    assertFaults("lib/table.ts", `/* ${code} */ const url = "http://a"; // ${code}`, []);
  }
  assertFaults("lib/table.ts", "const a = new Date(heartbeat).toISOString();", []);
  assertFaults("lib/gossip.ts", 'import { connect } from "node:net";', [
    "lib/gossip.ts is pure but imports node:net",
  ]);
  assertFaults("lib/config/flags.ts", 'import { a } from "../std/cli/parse_args.ts";', []);
  assertFaults("lib/table.ts", 'import { a } from "./std/http/serve_file.js";', [
    "lib/table.ts is pure but imports ./std/http/serve_file.js",
  ]);
});

Deno.test("the architecture check sees a package that only an import map would find", () => {
  assertFaults("lib/http/app.ts", 'import { Hono } from "hono";', [
    "lib/http/app.ts imports hono: go through lib/std or lib/http/hono.ts",
  ]);
  assertFaults("lib/http/hono.ts", 'export { Hono } from "npm:hono@4.13.19";', []);
  assertFaults("lib/net/transport.ts", 'import { connect } from "node:net";', []);
});

Deno.test("the architecture check sees files and comment lines that are too long", () => {
  const faults = [`lib/table.ts has ${LINES_MAX + 1} lines`];
  assertFaults("lib/table.ts", "\n".repeat(LINES_MAX) + "end", faults);
  assertFaults("lib/table.ts", "\n".repeat(LINES_MAX - 1) + "end\n", []);
  const longest = "//".padEnd(COMMENT_COLUMNS_MAX, ".");
  assertFaults("lib/table.ts", longest, []);
  assertFaults("lib/table.ts", `${longest}.`, ["lib/table.ts:1 is a comment of 121 columns"]);
});
