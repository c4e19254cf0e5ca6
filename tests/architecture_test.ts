/**
 * The architecture, checked over the source: imports never point up, the core is pure, files stay small.
 *
 * A new file in lib/ gets its place in LAYERS here; if it touches the world, also in IMPURE.
 */

import { assertEquals } from "@std/assert";

/** From the bottom up. A file imports from its own layer or a lower one, and never in a circle. */
const LAYERS: readonly (readonly string[])[] = [
  [
    "address",
    "text",
    "log",
    "networks",
    "clock",
    "hash",
    "limits",
    "flags",
    "flag_values",
    "security_flags",
    "config",
  ],
  ["table", "pulse", "view", "guard", "exposure"],
  ["charges", "columns", "wire", "hello"],
  ["deck", "drafts", "contacts", "partners", "watch"],
  ["effects", "replica"],
  ["calls", "joining", "looks", "rounds", "go_nodes", "reception"],
  ["gossip"],
  ["page_words", "strip", "strips"],
  ["views", "saved", "stories", "table_text", "metrics", "measures"],
  ["page_state", "page_rows", "page_bye", "page"],
  ["state", "seeds", "version", "names", "process"],
  ["keys", "signer", "credentials"],
  [
    "http",
    "download",
    "auth",
    "signed_transport",
    "serve",
    "http_answer",
    "connect",
    "transport",
    "driver",
    "events",
    "assets",
    "reports",
    "node",
    "senders",
  ],
  ["page_routes", "app"],
  ["main"],
];

/** The files that may know Deno, clocks, dice, timers and the network. Every other one is pure. */
const IMPURE: readonly string[] = [
  ...[
    "keys",
    "signer",
    "credentials",
    "http",
    "auth",
    "signed_transport",
    "senders",
    "serve",
    "connect",
    "transport",
    "driver",
    "events",
    "assets",
    "reports",
    "node",
    "state",
    "seeds",
    "names",
    "process",
    "download",
    "page_routes",
    "app",
    "main",
  ],
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

/** Packages without effects of their own, which a pure file may use. */
const PURE_PACKAGE = /^(?:@std\/(?:cli|text)\/|hono\/(?:jsx|html)(?:$|\/))/;

/** Past this a file wants a second noun. */
const LINES_MAX = 300;

/** One sentence for each place where the sources, by file name, leave the architecture. */
function findViolations(sources: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const imports = new Map<string, string[]>();
  for (const [file, source] of sources) {
    const noun = nounOf(file);
    const code = withoutComments(source);
    const specifiers = importsOf(code);
    imports.set(noun, specifiers.filter((specifier) => specifier.startsWith(".")).map(nounOf));
    if (layerOf(noun) === -1) {
      found.push(`${file} has no layer: add "${noun}" to LAYERS in tests/architecture_test.ts`);
      continue;
    }
    found.push(...findUpward(file, specifiers));
    if (!IMPURE.includes(noun)) found.push(...findImpure(file, code, specifiers));
    const lines = source.trimEnd().split("\n").length;
    if (lines > LINES_MAX) {
      found.push(
        `${file} has ${lines} lines: split it, ${LINES_MAX} is the most (is there a second noun?)`,
      );
    }
  }
  for (const circle of findCircles(imports)) {
    found.push(`${circle.join(" -> ")} is a circle of imports: move what they share below them`);
  }
  return found;
}

function findUpward(file: string, specifiers: string[]): string[] {
  return specifiers.filter((specifier) => specifier.startsWith(".")).flatMap((specifier) => {
    const layer = layerOf(nounOf(specifier));
    // A lower file that is not there yet has its own message.
    if (layer <= layerOf(nounOf(file))) return [];
    return [
      `${file} imports ${specifier}, which is above it: pass it in, or move what is shared down`,
    ];
  });
}

function findImpure(file: string, code: string, specifiers: string[]): string[] {
  const found: string[] = [];
  code.split("\n").forEach((line, i) => {
    for (const [pattern, instead] of BANNED) {
      const match = pattern.exec(line);
      if (match) found.push(`${file}:${i + 1} is pure but says ${match[0]}: ${instead}`);
    }
  });
  for (const specifier of specifiers) {
    const pure = specifier.startsWith(".")
      ? !IMPURE.includes(nounOf(specifier))
      : PURE_PACKAGE.test(specifier);
    if (!pure) {
      found.push(`${file} is pure but imports ${specifier}, which is not: pass in what it needs`);
    }
  }
  return found;
}

/** Each circle of imports once, found by walking down from every file. */
function findCircles(imports: ReadonlyMap<string, string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const walk = (noun: string, path: string[]): void => {
    if (path.includes(noun)) circles.push([...path.slice(path.indexOf(noun)), noun]);
    if (path.includes(noun) || done.has(noun)) return;
    for (const below of imports.get(noun) ?? []) walk(below, [...path, noun]);
    done.add(noun);
  };
  for (const noun of imports.keys()) walk(noun, []);
  return circles;
}

function layerOf(noun: string): number {
  return LAYERS.findIndex((layer) => layer.includes(noun));
}

/** `./page.tsx` and `lib/page.tsx` are both `page`. */
function nounOf(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.tsx?$/, "");
}

function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g;
  return [...code.matchAll(pattern)].map(([, specifier]) => specifier ?? "");
}

/** The code with its lines where they were; strings stay, so that `http://` in one begins no comment. */
function withoutComments(source: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (text) => text.startsWith("/") ? text.replace(/[^\n]/g, " ") : text);
}

async function readSources(): Promise<Map<string, string>> {
  const root = new URL("../", import.meta.url);
  const files = [];
  for await (const entry of Deno.readDir(new URL("lib/", root))) {
    if (entry.isFile && /\.tsx?$/.test(entry.name)) files.push(`lib/${entry.name}`);
  }
  for await (const entry of Deno.readDir(root)) {
    if (entry.name === "main.ts") files.push(entry.name);
  }
  const read = async (file: string) =>
    [file, await Deno.readTextFile(new URL(file, root))] as const;
  return new Map(await Promise.all(files.sort().map(read)));
}

Deno.test("no import points up, the core is pure, and no file is too long", async () => {
  assertEquals(findViolations(await readSources()), []);
});

/** Checks that the files given, alone, are faulted for each of these beginnings, and for nothing else. */
function assertFaults(sources: Record<string, string>, beginnings: string[]): void {
  const found = findViolations(new Map(Object.entries(sources)));
  const shown = found.map((sentence, i) =>
    sentence.slice(0, beginnings[i]?.length ?? sentence.length)
  );
  assertEquals(shown, beginnings);
}

Deno.test("the architecture check sees an import that points up, a circle and a file without a layer", () => {
  assertFaults({ "lib/table.ts": 'import { Gossip } from "./gossip.ts";' }, [
    "lib/table.ts imports ./gossip.ts, which is above it",
  ]);
  assertFaults({
    "lib/table.ts": 'export * from "./view.ts";',
    "lib/view.ts": 'import "./table.ts";',
  }, [
    "table -> view -> table is a circle of imports",
  ]);
  assertFaults({ "lib/novel.ts": "" }, ['lib/novel.ts has no layer: add "novel"']);
  assertFaults({ "lib/gossip.ts": 'import type { Table } from "./table.ts";' }, []);
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
    assertFaults({ "lib/table.ts": `// 1\n${code}\n` }, [
      `lib/table.ts:2 is pure but says ${said}:`,
    ]);
    assertFaults({ "lib/driver.ts": code }, []);
    assertFaults({ "lib/table.ts": `/* ${code} */ const url = "http://a"; // ${code}` }, []);
  }
  assertFaults({ "lib/table.ts": "const a = new Date(heartbeat).toISOString();" }, []);
  assertFaults({ "lib/gossip.ts": 'import { connect } from "node:net";' }, [
    "lib/gossip.ts is pure but imports node:net",
  ]);
  assertFaults({ "lib/page.tsx": 'import { html } from "hono/html";' }, []);
});

Deno.test("the architecture check sees a file that is too long", () => {
  assertFaults({ "lib/table.ts": "\n".repeat(LINES_MAX) + "end" }, [
    `lib/table.ts has ${LINES_MAX + 1} lines`,
  ]);
  assertFaults({ "lib/table.ts": "\n".repeat(LINES_MAX - 1) + "end\n" }, []);
});
