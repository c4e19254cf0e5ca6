import {
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readAt } from "../../lib/cli/at.ts";
import { commandHelp } from "../../lib/cli/details.ts";
import { type Invocation, parseInvocation } from "../../lib/cli/parse.ts";
import { type CommandName, COMMANDS } from "../../lib/config/commands.ts";
import { UsageError } from "../../lib/config/flags.ts";

function callOf(words: string, env: Record<string, string> = {}): Invocation {
  const parsed = parseInvocation(words.split(" "), (name) => env[name]);
  if (parsed.kind !== "run") throw new Error(`${words}: ${JSON.stringify(parsed)}`);
  return parsed.invocation;
}

Deno.test("parseInvocation() reads flags before and after the operand, in every form that a node takes", () => {
  for (const words of ["bye n9 -yes", "bye -yes n9", "bye --yes=true n9", "bye -yes -- n9"]) {
    const { command, operand, yes } = callOf(words);
    assertEquals([command, operand, yes], ["bye", "n9", true], words);
  }
  assertEquals(callOf("bye -- -x").operand, "-x");
  assertEquals(callOf("why 007").operand, "007");
});

Deno.test("parseInvocation() gives the node what it selects by", () => {
  assertEquals(callOf("members").query.toString(), "");
  assertEquals(callOf("members -status dead,unknown").query.toString(), "status=dead%2Cunknown");
});

Deno.test("parseInvocation() takes the node from -at, then the environment, then localhost", () => {
  const env = { GOSSIPER_AT: "n1:80" };
  assertEquals(callOf("members").target.base, "http://localhost:8080/");
  assertEquals(callOf("members", env).target.base, "http://n1:80/");
  assertEquals(callOf("members -at n2:80", env).target.base, "http://n2:80/");
  assertEquals(callOf("members -at n2:80 -tls-ca a.pem").target.base, "https://n2:80/");
  assertEquals(callOf("members -at http://n2 -tls-ca a.pem").target.base, "http://n2/");
});

Deno.test("parseInvocation() takes keys from a file before those of the environment, and -yes from no environment", () => {
  const env = { GOSSIPER_KEY: "text", GOSSIPER_YES: "true", GOSSIPER_STATUS: "dead" };
  const { target, yes, query } = callOf("bye n9", env);
  assertEquals([target.keyText, yes, query.size], ["text", false, 0]);
  const { keyFile, keyText } = callOf("bye n9 -key-file f", env).target;
  assertEquals([keyFile, keyText], ["f", undefined]);
});

Deno.test("parseInvocation() takes in a hook's command neither the time nor the key of the change for its own", () => {
  const env = {
    GOSSIPER_HOOK: "pager",
    GOSSIPER_AT: "2026-01-12T12:00:00Z",
    GOSSIPER_KEY: "n5.b.dead.1",
  };
  const { base, keyText } = callOf("quiet n5 -for 2h", env).target;
  assertEquals([base, keyText], ["http://localhost:8080/", undefined]);
  assertEquals(callOf("members -at n2:80", env).target.base, "http://n2:80/");
});

Deno.test("parseInvocation() takes a pattern and a time to be quiet, or the end of it", () => {
  const { operand, query, end } = callOf("quiet web* --for 2h --why deploy");
  assertEquals([operand, query.toString(), end], ["web*", "for=2h&why=deploy", false]);
  assertEquals(callOf("quiet web* --end").end, true);
});

Deno.test("parseInvocation() takes the name of a hook behind the word test", () => {
  assertEquals(callOf("hook test pager").operand, "pager");
});

Deno.test("parseInvocation() says what to give in the place of a wrong word", () => {
  const messageOf = (words: string) => {
    const parsed = parseInvocation(words.split(" "), () => undefined);
    return parsed.kind === "usage" ? parsed.message : JSON.stringify(parsed);
  };
  assertEquals(messageOf("hook"), "Give gossiper hook test NAME");
  assertEquals(messageOf("hook test"), "Give gossiper hook test NAME");
  assertEquals(messageOf("tag"), "Give -set KEY=VALUE or -unset KEY, each repeated for more");
  const give = "give gossiper hook test NAME [flags]";
  assertEquals(messageOf("hook pager"), `Cannot use the argument 'pager': ${give}`);
  assertEquals(messageOf("hook test a b"), `Cannot use the argument 'b': ${give}`);
  assertMatch(messageOf("hook test a/b"), /^Cannot use 'a\/b': give the name of a hook/);
  assertMatch(messageOf("quiet web/"), /^Cannot use 'web\/': give 1 to 64/);
  assertMatch(messageOf("quiet a -for x"), /^Cannot use -for 'x': give a number and one of ms/);
  assertEquals(callOf(`quiet a -why ${"x".repeat(120)}`).query.get("why")?.length, 120);
  assertMatch(messageOf(`quiet a -why ${"x".repeat(121)}`), /: give at most 120 characters$/);
});

Deno.test("readAt() takes an address or a URL with a path, and nothing that hides something else", () => {
  const read = {
    "n1:8080": "//n1:8080/",
    "[::1]:80": "//[::1]:80/",
    "https://example.org": "https://example.org/",
    "https://example.org/ops/gossiper": "https://example.org/ops/gossiper/",
    "http://example.org:81/ops//": "http://example.org:81/ops/",
  };
  for (const [text, base] of Object.entries(read)) assertEquals(readAt(text), base);
  const wrong = [
    "",
    "n1",
    "n1:0",
    "ftp://n1:80",
    "https://",
    "https://user:pass@n1",
    "https://n1/?a=b",
    "file:///etc/passwd",
    "\x1b",
    `http://n1/${"x".repeat(1_024)}`,
  ];
  for (const text of wrong) assertThrows(() => readAt(text), UsageError, "give host:port", text);
});

Deno.test("readAt() refuses a port that no command can call, by its number", () => {
  for (
    const text of ["n1:6000", "web.1:6000", "[::1]:6000", "http://n1:6000/ops", "https://n1:6000"]
  ) {
    assertThrows(() => readAt(text), UsageError, "give another port: 6000 belongs to", text);
  }
  for (const text of ["n1:80", "n1:443", "n1:6001", "http://n1", "https://n1"]) readAt(text);
});

Deno.test("each command has a help of its own, and that of `help` is the program's", () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const usage = name === "help" ? "Usage: gossiper [" : `Usage: gossiper ${name}`;
    assertStringIncludes(commandHelp(name), usage);
  }
});

Deno.test("help prints the help of the command that is named, and refuses other words", () => {
  const parse = (words: string) => parseInvocation(words.split(" "), () => undefined);
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    assertEquals(parse(`help ${name}`), { kind: "help", text: commandHelp(name) });
  }
  assertEquals(parse("help hook test"), parse("help hook"));
  assertEquals(parse("help"), parse("help -help"));
  assertEquals(parse("help membrs"), {
    kind: "usage",
    message: "Unknown command 'membrs': did you mean 'members'? Run 'gossiper help' for the list",
  });
  assertEquals(parse("help members n1"), {
    kind: "usage",
    message: "Cannot use the argument 'n1': give gossiper help [COMMAND] [flags]",
  });
});

Deno.test("a word that is no command leads to the one that is alike, to the flag of that name, or to the list", () => {
  const list = "Run 'gossiper help' for the list";
  const hints: Record<string, string> = {
    "mem": ": did you mean 'members'?",
    "evnets": ": did you mean 'events'?",
    "version": ": did you mean '-version'?",
    "join": ": did you mean '-join'?",
    "status": ".",
    "8081": ".",
    "n1": ".",
    "toString": ".",
  };
  for (const [word, hint] of Object.entries(hints)) {
    const message = `Unknown command '${word}'${hint} ${list}`;
    assertEquals(parseInvocation([word, "n1:8080"], () => undefined), { kind: "usage", message });
  }
});

Deno.test("the help of each command names its flags in 100 columns", () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    for (const line of commandHelp(name).split("\n")) assertLessOrEqual(line.length, 100, line);
    assertEquals(parseInvocation([name, "-help"], () => undefined), {
      kind: "help",
      text: commandHelp(name),
    });
  }
});
