/** README.md and lib/PROTOCOL.md, held against the program. */
import { assert, assertEquals } from "@std/assert";
import { helpText } from "../lib/config/config.ts";
import { sourcePaths } from "./support/sources.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const protocol = await Deno.readTextFile(new URL("../lib/PROTOCOL.md", import.meta.url));
const app = await Deno.readTextFile(new URL("../lib/http/app.ts", import.meta.url));

Deno.test("README's flags are those of -help", () => {
  const [, flags = ""] = /## Flags\n\n```text\n([\s\S]*?)\n```/.exec(readme) ?? [];
  assertEquals(flags, helpText());
});

Deno.test("README has two commands to set up: one runs a node, one runs all tests", () => {
  const commands = [...readme.matchAll(/^npx -y deno@\S+ (.*)$/gm)].map(([, command]) => command);
  assertEquals(commands, [
    "run -A main.ts",
    "run -A main.ts -port 8081 -join localhost:8080",
    "task test",
  ]);
});

Deno.test("README names every task of deno.json that people run, and no other", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
  ) as { tasks: Record<string, unknown> };
  for (const [, task = ""] of readme.matchAll(/deno task ([a-z:]+)/g)) assert(task in tasks, task);
  for (const task of Object.keys(tasks)) assert(readme.includes(task), task);
});

Deno.test("README's relative links lead to files", async () => {
  for (const [, path = ""] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    assert((await Deno.stat(new URL(`../${path}`, import.meta.url))).isFile, path);
  }
});

Deno.test("README's table of requests holds routes", () => {
  const [, table = ""] = /## Use it\n([\s\S]*?)\n\n[^|\n]/.exec(readme) ?? [];
  const paths = [...table.matchAll(/(?:GET|POST)[`\s]+(\/[a-z]+)/g)].map(([, path]) => path);
  assert(paths.length >= 7, table);
  for (const path of paths) assert(app.includes(`"${path}"`), path);
});

Deno.test("PROTOCOL.md's constants exist", async () => {
  let sources = "";
  for (const path of await sourcePaths()) sources += await Deno.readTextFile(path);
  for (const [, constant = ""] of protocol.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) {
    assert(sources.includes(`const ${constant} `), constant);
  }
});
