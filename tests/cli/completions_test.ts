/** The completions, in the shells themselves where they are installed. */
import { assertEquals, assertMatch } from "@std/assert";
import { completionScript } from "../../lib/cli/completions.ts";
import { flagsOf } from "../../lib/cli/details.ts";
import { type CommandName, COMMANDS } from "../../lib/config/commands.ts";
import { NODE_FLAGS } from "../../lib/config/config.ts";
import { STATUSES } from "../../lib/table.ts";

const names = Object.keys(COMMANDS) as CommandName[];
const words = {
  commands: Object.fromEntries(names.map((name) => [name, flagsOf(name)])),
  node: NODE_FLAGS,
};

async function has(shell: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${shell}`] })
    .output();
  return success;
}

/** What a shell offers, given how to ask it for the words of a line. */
async function offered(shell: string, asking: (line: string[]) => string, line: string) {
  const prelude = shell === "zsh" ? "compdef() { : }" : "";
  const script = `${prelude}\n${completionScript(shell, words)}\n${asking(line.split(" "))}`;
  const { stdout, stderr } = await new Deno.Command(shell, { args: ["-c", script] }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split(/\s+/).filter((word) => word !== "");
}

const SHELLS = {
  bash: (line: string[]) =>
    `COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${line.length - 1}
     _gossiper; echo "\${COMPREPLY[@]}"`,
  // Without its line editor zsh has no compadd; it would select among the words as bash does.
  zsh: (line: string[]) =>
    `words=(${line.map((word) => `'${word}'`).join(" ")}); CURRENT=${line.length}
     PREFIX='${line.at(-1)}' IPREFIX=
     compadd() { shift; print -- $IPREFIX\${^\${(M)@:#$PREFIX*}} }; _files() { print -- FILES }
     _normal() { print -- $words }
     _gossiper`,
  fish: (line: string[]) => `string replace -r -- '\\t.*' '' (complete -C '${line.join(" ")}')`,
};

/** The words without regard to their order: fish sorts them. */
function assertWords(actual: readonly string[], expected: readonly string[]): void {
  assertEquals(actual.toSorted(), expected.toSorted());
}

for (const [shell, asking] of Object.entries(SHELLS)) {
  Deno.test(
    `${shell} completes commands, flags and values`,
    { ignore: !await has(shell) },
    async () => {
      const ask = (line: string) => offered(shell, asking, line);
      assertEquals(await ask("gossiper me"), ["members"]);
      assertEquals(await ask("gossiper -dead"), ["-dead-after"]);
      assertEquals(await ask("gossiper members -st"), ["-status"]);
      assertWords(await ask("gossiper members -status "), STATUSES);
      assertEquals(await ask("gossiper bye -y"), ["-yes"]);
      assertEquals(await ask("gossiper why -y"), []);
      assertEquals(await ask("gossiper completions z"), ["zsh"]);
      assertEquals(await ask("gossiper hook t"), ["test"]);
      assertEquals(await ask("gossiper help me"), ["members"]);
      assertEquals(await ask("gossiper quiet -e"), ["-end"]);
      assertEquals(await ask("gossiper -private -log j"), ["json"]);
      assertEquals(await ask("gossiper members -at "), []);
      assertEquals(await ask("gossiper members --st"), ["--status"], "as with one dash");
      assertEquals(await ask("gossiper members --status unr"), ["unresponsive"]);
      assertEquals(await ask("gossiper help hook te"), [], "this is a word of another command");
      assertEquals(await ask("gossiper -id members -po"), ["-port", "-port-of"]);
      assertWords(
        await ask("gossiper members -"),
        Object.keys(flagsOf("members")).map((flag) => `-${flag}`),
      );
    },
  );
}

Deno.test(
  "zsh completes the program behind -- as it would without the words before",
  { ignore: !await has("zsh") },
  async () => {
    const line = "gossiper -id x -- node ser";
    assertEquals(await offered("zsh", SHELLS.zsh, line), ["node", "ser"]);
  },
);

/** What a shell offers at the end of a line, a line each, in a folder with one file and one folder. */
async function offeredBesideFiles(shell: "bash" | "fish", line: string) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/my keys`, "");
    await Deno.mkdir(`${folder}/other`);
    const asking = SHELLS[shell](line.split(" ")).replace(
      'echo "${COMPREPLY[@]}"',
      'for each in "${COMPREPLY[@]}"; do echo "$each"; done',
    );
    const { stdout } = await new Deno.Command(shell, {
      args: ["-c", `${completionScript(shell, words)}\n${asking}`],
      cwd: folder,
    }).output();
    return new TextDecoder().decode(stdout).trimEnd();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const shell of ["bash", "fish"] as const) {
  Deno.test(
    `${shell} completes files after a flag that takes one and behind --, also one with a blank in its name, and nowhere else`,
    { ignore: !await has(shell) },
    async () => {
      assertEquals(await offeredBesideFiles(shell, "gossiper members -key-file m"), "my keys");
      assertEquals(await offeredBesideFiles(shell, "gossiper --key-file m"), "my keys");
      assertEquals(await offeredBesideFiles(shell, "gossiper -id x -- cat m"), "my keys");
      assertEquals(await offeredBesideFiles(shell, "gossiper why m"), "");
      assertEquals(await offeredBesideFiles(shell, "gossiper members -at m"), "");
    },
  );
}

Deno.test("each script names every command and flag", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = completionScript(shell, words);
    for (const word of [...names, ...Object.keys(NODE_FLAGS), "status", "yes", "watch"]) {
      assertMatch(script, new RegExp(`[^\\w-]-?(?:o )?${word}\\b`), `${shell}: ${word}`);
    }
  }
});
