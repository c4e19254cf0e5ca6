/**
 * Makes the program's binaries: `deno task compile`, or for one system
 * `deno task compile --target x86_64-unknown-linux-gnu`.
 *
 * The program is first bundled into few files, without the parts of packages that it never uses, so that it starts with
 * less memory. What it imports later is in files of its own: in one file the parts of Node that DNS takes were loaded at
 * each start. The bundle is not minified: traces in a log must name functions, and minifying saved nothing measurable.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** How programs of each system begin: bytes and their offset. */
const MARKS: Readonly<Record<string, readonly (readonly [at: number, ...bytes: number[]])[]>> = {
  "x86_64-unknown-linux-gnu": [[0, 0x7f, 0x45, 0x4c, 0x46], [18, 0x3e]],
  "aarch64-unknown-linux-gnu": [[0, 0x7f, 0x45, 0x4c, 0x46], [18, 0xb7]],
  "x86_64-apple-darwin": [[0, 0xcf, 0xfa, 0xed, 0xfe, 0x07]],
  "aarch64-apple-darwin": [[0, 0xcf, 0xfa, 0xed, 0xfe, 0x0c]],
  "x86_64-pc-windows-msvc": [[0, 0x4d, 0x5a]],
};

const TARGETS = Object.keys(MARKS);

/** What the program may do, with reasons. */
const PERMISSIONS = [
  "--no-prompt",
  // Listens on any port, calls any peer, asks name servers.
  "--allow-net",
  // Files named by flags (-state, -dist, keys, certificates), and the binary itself, which it serves for download.
  "--allow-read",
  "--allow-write",
  "--allow-env=GOSSIPER_*",
  "--allow-sys=hostname,networkInterfaces",
  // -check exec:..., and the program after `--`; a node without them gives this up as it starts.
  "--allow-run",
  // The C library: `waitid`, for orphans where the node is a container's first process, and files of /proc, which Deno
  // itself reads to nobody who may not do everything; given up in the same way.
  "--allow-ffi",
  "--deny-import",
];

/** As in deno.json: without it Deno itself writes a warning to the log of a node that is asked to wait at /live. */
const UNSTABLE = "--unstable-no-legacy-abort";

/**
 * V8's youngest objects get 4 MB twice, not 32: they take as much as they may, and it stays taken. With 1,000
 * members, scrapes and a reader of /events a node had 106 MB after 40 minutes, without it 156 MB, for a tenth more CPU
 * time. In six attacks of `deno task bench:hostile` every probe was answered; in four the peak was lower, in two 5 and
 * 13 % higher. Rejected: 2, with which it had 100 MB, and collects twice as often.
 *
 * Rejected: `--single-threaded`, with which each of three nodes of a cluster had 140 MB after 65 minutes, without it
 * 86 MB (Deno 2.7.11), for the same CPU time.
 */
const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";

const ROOT = new URL("../", import.meta.url);
const DIST = new URL("dist/", ROOT);

/** How the bundler lets packages require parts of Node; it loads Node's loader of modules at once, for 40 ms of CPU. */
const REQUIRE =
  /import \{ createRequire as (\w+) \} from "node:module";\s*var __require = \1\(import\.meta\.url\);/;

/** The same for what the system's runtime has built in, without a cost until it is called. */
const REQUIRE_BUILT_IN = "var __require = (name) => process.getBuiltinModule(name);";

/** An expected failure, in one line that says what to do. */
class CompileError extends Error {}

async function compileAll(targets: readonly string[]): Promise<void> {
  const denort = Deno.env.get("DENORT_BIN");
  if (denort !== undefined && targets.length > 1) {
    throw new CompileError(
      "DENORT_BIN is the runtime of one system: name the system with --target",
    );
  }
  if (denort !== undefined) await checkRuntime(denort, targets[0]!);
  const folder = await Deno.makeTempDir();
  try {
    await bundle(folder);
    await Deno.mkdir(DIST, { recursive: true });
    for (const target of targets) await compile(target, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await writeSums();
}

/** Refuses a runtime of another system or version, which Deno itself would use without a warning. */
async function checkRuntime(path: string, target: string): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new CompileError(
      `Cannot read DENORT_BIN: ${error instanceof Error ? error.message : error}`,
    );
  }
  const marks = MARKS[target] ?? [];
  if (marks.some(([at, ...mark]) => mark.some((byte, i) => bytes[at + i] !== byte))) {
    throw new CompileError(`Cannot use ${path} for ${target}: it is made for another system`);
  }
  // What a runtime calls itself in requests.
  const names = new TextDecoder("latin1").decode(bytes).matchAll(/Deno\/(\d+\.\d+\.\d+)/g);
  const versions = new Set(Array.from(names, ([, version]) => version!));
  const { deno } = Deno.version;
  if (versions.has(deno)) return;
  const found = versions.size === 0 ? "says no version" : `is of Deno ${[...versions].join(", ")}`;
  throw new CompileError(`Cannot use ${path}: it ${found}, and Deno ${deno} compiles here`);
}

/** Bundles a copy of the sources that knows its commit. */
async function bundle(folder: string): Promise<void> {
  const sources = `${folder}/sources`;
  await Deno.mkdir(sources);
  for (const name of ["deno.json", "deno.lock", "main.ts", "lib", "static"]) {
    await copy(new URL(name, ROOT), `${sources}/${name}`);
  }
  await Deno.writeTextFile(
    `${sources}/lib/host/build.json`,
    JSON.stringify({ commit: await commit() }),
  );
  const bundled = bundledIn(folder);
  const args = ["bundle", "--quiet", "--code-splitting", "--outdir", bundled, "main.ts"];
  const { code, text } = await run(Deno.execPath(), args, sources);
  if (code !== 0) throw new CompileError(`Cannot bundle the program:\n${text}`);
  for await (const { name } of Deno.readDir(bundled)) {
    const path = `${bundled}/${name}`;
    const source = await Deno.readTextFile(path);
    if (REQUIRE.test(source)) {
      await Deno.writeTextFile(path, source.replace(REQUIRE, REQUIRE_BUILT_IN));
    }
  }
  await checkStart(bundled, "main.js");
}

function bundledIn(folder: string): string {
  return `${folder}/program`;
}

/** Refuses a program that loads parts of Node as it starts: half of a start's CPU time would be theirs. */
async function checkStart(bundled: string, first: string): Promise<void> {
  const loaded = new Set([first]);
  for (const file of loaded) {
    const source = await Deno.readTextFile(`${bundled}/${file}`);
    // The bundler writes each import on lines of its own, from the line's beginning.
    for (const [, name = ""] of source.matchAll(/^(?:import|\}) (?:.* )?(?:from )?"([^"]+)";$/gm)) {
      if (name.startsWith("node:")) throw new CompileError(`${file} loads ${name} at the start`);
      if (name.startsWith("./")) loaded.add(name.slice(2));
    }
  }
}

/**
 * No code cache: a binary keeps it at a name in /tmp that all know, and asks not whose it is, so that any user of the host
 * could plant code that runs as the node. It would save 12 ms of a start.
 */
async function compile(target: string, folder: string): Promise<void> {
  const name = `gossiper-${target}${target.includes("windows") ? ".exe" : ""}`;
  const part = `${folder}/${name}`;
  const args = [
    ...["compile", "--quiet", "--no-check", "--no-config", "--no-lock", "--no-code-cache"],
    ...PERMISSIONS,
    UNSTABLE,
    V8_FLAGS,
    ...["--target", target, "--output", part, "main.js"],
  ];
  const { code, text } = await run(Deno.execPath(), args, bundledIn(folder));
  if (code !== 0) {
    throw new CompileError(
      `Cannot compile for ${target}: ${text.replace(/\s*Stack backtrace[^]*$/, "").trim()}\n` +
        `If Deno's runtime for it (denort, of Deno ${Deno.version.deno}) cannot be downloaded, copy it from another machine ` +
        `and name the copy: DENORT_BIN=/path/to/denort deno task compile --target ${target}`,
    );
  }
  await Deno.copyFile(part, new URL(name, DIST));
  const { size } = await Deno.stat(part);
  console.log(`dist/${name}  ${(size / 1e6).toFixed(1)} MB`);
}

/** Writes SHA256SUMS of all binaries in dist/, in the form that `sha256sum --check` reads. */
async function writeSums(): Promise<void> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(DIST)) {
    if (name.startsWith("gossiper-")) names.push(name);
  }
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      const digest = await crypto.subtle.digest(
        "SHA-256",
        await Deno.readFile(new URL(name, DIST)),
      );
      return `${new Uint8Array(digest).toHex()}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(new URL("SHA256SUMS", DIST), lines.join(""));
}

/** The commit of the sources, marked as changed where they differ from it. */
async function commit(): Promise<string> {
  try {
    const id = await run("git", ["rev-parse", "--short=12", "HEAD"], ROOT);
    const changes = await run("git", ["status", "--porcelain", "main.ts", "lib", "static"], ROOT);
    if (id.code !== 0 || changes.code !== 0) return "unknown";
    return id.text.trim() + (changes.text === "" ? "" : "-changed");
  } catch (error) {
    // Sources without git, such as an archive.
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string | URL,
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: code === 0 ? decoder.decode(stdout) : decoder.decode(stderr) };
}

async function copy(from: URL, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await copy(new URL(`${from.href}/${name}`), `${to}/${name}`);
  }
}

const { target } = parseArgs(Deno.args, { string: ["target"] }) as { target?: string };
try {
  if (target !== undefined && !TARGETS.includes(target)) {
    throw new CompileError(`Cannot compile for '${target}': give one of ${TARGETS.join(", ")}`);
  }
  await compileAll(target === undefined ? TARGETS : [target]);
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
