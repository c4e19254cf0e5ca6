/** README.md, the documents in .github/ and lib/PROTOCOL.md, held against the program and the files they name. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { helpText } from "../lib/config/config.ts";
import { commandHelp } from "../lib/cli/details.ts";
import { type CommandName, COMMANDS } from "../lib/config/commands.ts";
import { nameOf, sourcePaths } from "./support/sources.ts";

const ROOT = new URL("../", import.meta.url);

/** README is a front door: what passes this is for the documents beside it. */
const README_LINES_MAX = 200;

/** Both pictures of the page together. */
const PICTURES_BYTES_MAX = 200_000;

const DOCUMENTS = ["README.md", ".github/API.md", ".github/OPERATIONS.md", ".github/SECURITY.md"];

const texts = new Map(
  await Promise.all(
    DOCUMENTS.map(async (path) => [path, await Deno.readTextFile(new URL(path, ROOT))] as const),
  ),
);
const readme = texts.get("README.md")!;
const protocol = await Deno.readTextFile(new URL("lib/PROTOCOL.md", ROOT));
const help = helpText();
const commandNames = Object.keys(COMMANDS) as CommandName[];
const helps = commandNames.map(commandHelp).join("\n");

let sources = "";
let routes = "";
for (const path of await sourcePaths()) {
  const source = await Deno.readTextFile(path);
  sources += source;
  if (nameOf(path).startsWith("lib/http/")) routes += source;
}

Deno.test("README has 200 lines at most", () => {
  assertLessOrEqual(readme.trimEnd().split("\n").length, README_LINES_MAX);
});

Deno.test("README's flags are those of -help", () => {
  const [, flags = ""] = /## Flags\n\n```text\n([\s\S]*?)\n```/.exec(readme) ?? [];
  // Below the flags -help lists the commands, of which README tells above.
  assertEquals(flags, help.split("\n\nCommands")[0]);
});

Deno.test("README has two commands to set up: one runs a node, one runs all tests", () => {
  const commands = [...readme.matchAll(/^npx -y deno@\S+ (.*)$/gm)].map(([, command]) => command);
  assertEquals(commands, [
    "run -A main.ts",
    "run -A main.ts -port 8081 -join localhost:8080",
    "task test",
  ]);
});

Deno.test("README's pictures of the page are there, one for each theme, and small", async () => {
  const paths = [...readme.matchAll(/src(?:set)?="([^"]+)"/g)].map(([, path = ""]) => path);
  assertEquals(paths, [".github/page-dark.webp", ".github/page-light.webp"]);
  const sizes = await Promise.all(paths.map(async (path) => {
    const image = await Deno.readFile(new URL(path, ROOT));
    assertEquals(new TextDecoder().decode(image.subarray(8, 12)), "WEBP", path);
    return image.length;
  }));
  assertLessOrEqual(sizes.reduce((sum, size) => sum + size), PICTURES_BYTES_MAX);
});

Deno.test("README names every task of deno.json, and documents name no other", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as {
    tasks: Record<string, unknown>;
  };
  const [, table = ""] = /\| `deno task \.\.\.`(.*?)(?:\n\n|$)/s.exec(readme) ?? [];
  const listed = [...table.matchAll(/`([a-z:]+)[^`]*`/g)].map(([, task = ""]) => task);
  const started = [...texts.values()].flatMap((text) =>
    [...text.matchAll(/deno(?:@\S+)? task ([a-z:]+)/g)].map(([, task = ""]) => task)
  );
  assertEquals(new Set([...listed, ...started]), new Set(Object.keys(tasks)));
});

Deno.test("README's requests are routes", () => {
  const [, table = ""] = /## Ask it\n([\s\S]*?)\n\n[^|\n]/.exec(readme) ?? [];
  const paths = [...table.matchAll(/(?:GET|POST)[`\s]+(\/[a-z]+)/g)].map(([, path = ""]) => path);
  assert(paths.length >= 8, table);
  for (const path of paths) assert(routes.includes(`"${path}"`), `no route ${path}`);
});

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
}

Deno.test("the documents' links lead to files, and to headings in them", async () => {
  for (const [path, text] of texts) {
    for (const [, link = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const { href, hash } = new URL(link, new URL(path, ROOT));
      const file = new URL(href.replace(/#.*/, ""));
      await Deno.stat(file).catch(() => assert(false, `${path} links to ${link}`));
      if (hash === "") continue;
      const anchors = anchorsOf(await Deno.readTextFile(file));
      assert(anchors.includes(hash.slice(1)), `${path} links to ${link}`);
    }
  }
});

Deno.test("every document in .github/ is linked from README", () => {
  for (const path of DOCUMENTS.slice(1)) assert(readme.includes(`](${path}`), path);
});

Deno.test("the files and tests that documents name are there", async () => {
  for (const [path, text] of texts) {
    for (const [, named = ""] of text.matchAll(/`((?:lib|tests|static)\/[\w./]*)`/g)) {
      await Deno.stat(new URL(named, ROOT)).catch(() => assert(false, `${path} names ${named}`));
    }
  }
});

Deno.test("each promise of SECURITY.md names tests that there are", async () => {
  const sources = new Map<string, string>();
  const folders = [new URL("tests/", ROOT)];
  for (let folder; (folder = folders.pop()) !== undefined;) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(isDirectory ? `${name}/` : name, folder);
      if (isDirectory) folders.push(url);
      // The binary's tests run where there is one, so they are not called a test.
      else if (name.endsWith("_test.ts") || name === "binary.ts") {
        sources.set(name.replace(/(_test)?\.ts$/, ""), await Deno.readTextFile(url));
      }
    }
  }
  const rows = texts.get(".github/SECURITY.md")!.match(/^\|.*\|$/gm) ?? [];
  const promises = rows.filter((row) => !/^\| (?:promise|-+) /.test(row));
  assert(promises.length > 20, rows.join("\n"));
  for (const row of promises) {
    const files = [...row.matchAll(/(\w+): ("[^"]+"(?:, "[^"]+")*)/g)];
    assert(files.length > 0, `SECURITY.md names no test: ${row}`);
    for (const [, file, names = ""] of files) {
      const source = sources.get(file!) ?? "";
      for (const [, name] of names.matchAll(/"([^"]+)"/g)) {
        assert(source.includes(`"${name}"`) || source.includes(`\`${name}\``), `${file}: ${name}`);
      }
    }
  }
});

Deno.test("the files that README's tree shows are there", async () => {
  const [, tree = ""] = /## How it is built\n\n((?: {4}.*\n)+)/.exec(readme) ?? [];
  let folder = "";
  let shown = 0;
  for (const line of tree.split("\n")) {
    folder = /^ {4}((?:lib|static|tests)\/(?:\w+\/)?)/.exec(line)?.[1] ?? folder;
    for (const [file] of line.replace("*.ts", "").matchAll(/\b\w+\.(?:tsx?|md)\b/g)) {
      await Deno.stat(new URL(folder + file, ROOT)).catch(() => assert(false, folder + file));
      shown++;
    }
  }
  assert(shown > 15, tree);
});

Deno.test("the flags that documents name are in -help, of the program or of a command", () => {
  for (const [path, text] of texts) {
    for (const [, flag = ""] of text.matchAll(/(?:`|gossiper[^`\n]*? )-([a-z][a-z-]+)\b/g)) {
      assert(helps.includes(` -${flag} `), `${path} names -${flag}`);
    }
  }
});

Deno.test("API.md names every command, and documents name no other", () => {
  const [, section = ""] = /\n## Commands\n([\s\S]*?)\n## /.exec(texts.get(".github/API.md")!) ??
    [];
  const listed = [...section.matchAll(/^\| `([a-z]+)/gm)].map(([, name = ""]) => name);
  assertEquals([...listed, "help"], commandNames);
  for (const [path, text] of texts) {
    for (const [, name = ""] of text.matchAll(/^(?:\$ )?gossiper ([a-z]+)/gm)) {
      assert(Object.hasOwn(COMMANDS, name), `${path} names gossiper ${name}`);
    }
  }
});

Deno.test("the messages that Troubleshooting explains are the program's own", async () => {
  const compile = await Deno.readTextFile(new URL(".build/compile.ts", ROOT));
  // A message that is written in pieces is one text.
  const said = (sources + compile).replace(/["`]\s*\+\s*["`]/g, "");
  const [, rows = ""] = /\| symptom .*\n\|.*\n((?:\|.*\n)+)/.exec(
    texts.get(".github/OPERATIONS.md")!,
  ) ?? [];
  let messages = 0;
  for (const [, symptom = ""] of rows.matchAll(/^\| (.*?) +\|/gm)) {
    for (const [, message = ""] of symptom.matchAll(/`([^`]{12,})`/g)) {
      if (message.startsWith("zsh:")) continue;
      messages++;
      // Between quoted names, addresses and what is left out.
      for (const part of message.split(/'[^']*'|\.\.\.|\bn1(?::8080)?/)) {
        const piece = part.replace(/^[\s:,]+(?:it (?=is damaged))?|[\s:,]+$/g, "");
        assert(said.includes(piece), `nothing says '${piece}', of: ${message}`);
      }
    }
  }
  assert(messages >= 9, rows);
});

Deno.test("every URL with a question mark is quoted where a shell would read it: zsh takes it for a pattern", async () => {
  const shown = new Map(texts);
  for (const path of ["tests/fleet/demo.ts", ".deploy/alerts.yml", ".deploy/kubernetes.yaml"]) {
    shown.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  shown.set("the program", sources);
  for (const [path, text] of shown) {
    // Outside quotes, from `curl` to the end of the command.
    for (const [command] of text.matchAll(/\bcurl [^\n`]*/g)) {
      const unquoted = command.replace(/'[^']*'/g, "").replace(/"[^"]*"/g, "");
      assertEquals(/\S*\?\S*/.exec(unquoted)?.[0], undefined, `${path}: ${command}`);
    }
  }
});

Deno.test("no command that people paste has a comment behind it: an interactive zsh would pass it on", () => {
  for (const [path, text] of texts) {
    for (const [, commands = ""] of text.matchAll(/```sh\n([\s\S]*?)```/g)) {
      for (const line of commands.split("\n")) assert(!/\S\s+#/.test(line), `${path}: ${line}`);
    }
  }
});

Deno.test("PROTOCOL.md's constants exist", () => {
  for (const [, constant = ""] of protocol.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) {
    assert(sources.includes(`const ${constant} `), constant);
  }
});
