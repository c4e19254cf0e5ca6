import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/config/flags.ts";
import { ACTION_LENGTH_MAX, HOOK_FLAGS, readHook, readHooks } from "../../lib/config/hooks.ts";

const readTellAfter = HOOK_FLAGS["tell-after"].read;

Deno.test("readHook() takes a command as it is, and tells of trouble unless asked for something else", () => {
  const { action, statuses, tags, cutOff } = readHook("notify.sh a, b && echo 'c,d'");
  assertEquals(action, { kind: "command", command: "notify.sh a, b && echo 'c,d'" });
  assertEquals([...statuses].sort(), ["dead", "failing", "unresponsive"]);
  assertEquals([tags, cutOff], [{}, false]);
});

Deno.test("readHook() takes a URL, and options behind it in any order", () => {
  const hook = readHook(
    "https://hooks.example/a?b=1,2,tag=role=web,status=dead,left,cut-off,name=pager,tag=zone=a",
  );
  assertEquals(hook.action, { kind: "url", url: "https://hooks.example/a?b=1,2" });
  assertEquals([...hook.statuses].sort(), ["dead", "left"]);
  assertEquals(hook.tags, { role: "web", zone: "a" });
  assertEquals([hook.name, hook.cutOff], ["pager", true]);
});

Deno.test("readHook() with cut-off alone tells of no member", () => {
  const { statuses, cutOff } = readHook("notify.sh,status=cut-off");
  assertEquals([statuses.size, cutOff], [0, true]);
});

Deno.test("a hook's own name is equal on all nodes that have it, and of no other command or URL", () => {
  const nameOf = (text: string) => readHook(text).name;
  assertMatch(nameOf("/opt/bin/notify.sh web"), /^notify-sh-[0-9a-f]{8}$/);
  assertMatch(nameOf("https://hooks.example/T1"), /^hooks-example-[0-9a-f]{8}$/);
  assertMatch(nameOf("http://[::1]:8/"), /^hook-1-[0-9a-f]{8}$/);
  assertEquals(nameOf("notify.sh web"), nameOf("notify.sh web,status=dead"));
  assert(nameOf("notify.sh web") !== nameOf("notify.sh db"));
  assert(nameOf("https://hooks.example/T1") !== nameOf("https://hooks.example/T2"));
  assert(nameOf(`https://${"a".repeat(60)}.example/`).length <= 32);
});

Deno.test("readHook() refuses what it cannot use, and says what to give", () => {
  const refusals: readonly (readonly [string, string])[] = [
    [",name=a", "give a command or an http(s) URL"],
    ["a\0b", "give a command or an http(s) URL"],
    ["a".repeat(ACTION_LENGTH_MAX + 1), "give a command or an http(s) URL"],
    ["https://", "give a URL such as"],
    ["https://a b/", "give a URL such as"],
    ["https://me:secret@a/", "without user and password"],
    ["http://a:6667/x", "give another port: 6667 belongs to another protocol"],
    ["http://a:0/", "give another port: 0 "],
    ["https://a/,stauts=dead", "'stauts' is no option"],
    ["true,stat=dead", `'stat' is no option: did you mean status? In a command write "stat"=`],
    ["true,stauts=dead,failing", "did you mean status?"],
    ["true,tags=role=web,name=pager", "did you mean tag?"],
    ["n.sh,status=ded", "give as status= one or more of"],
    ["n.sh,status=", "give as status= one or more of"],
    ["n.sh,status=unknown", "give as status= one or more of"],
    ["n.sh,name=a b", "give a name of a letter"],
    ["n.sh,name=1st", "give a name of a letter"],
    ["n.sh,name=", "give a name of a letter"],
    ["n.sh,name=a,name=b", "give name= once"],
    ["n.sh,status=dead,tag=a=b,status=left", "give status= once"],
    ["n.sh,tag=role", "of tag=: give NAME=VALUE"],
    ["n.sh,tag=role=a,tag=role=b", "of tag=: of 'role=b': give 'role' once"],
  ];
  for (const [text, words] of refusals) {
    const { message } = assertThrows(
      () => readHook(text),
      UsageError,
      undefined,
      text.slice(0, 40),
    );
    assert(message.includes(words), `${text.slice(0, 40)}: ${message}`);
  }
});

Deno.test("readHooks() reads one per line, at most 8, each with a name of its own", () => {
  assertEquals(readHooks(""), []);
  assertEquals(readHooks("a,name=x\n b,name=y\n").map(({ name }) => name), ["x", "y"]);
  assertThrows(() => readHooks("a,name=x\nb,name=x"), UsageError, "two are called 'x'");
  assertThrows(() => readHooks("a\na,status=left"), UsageError, "give each a name= of its own");
  assertThrows(() => readHooks("a\nb,status=x"), UsageError, "of 'b,status=x': give as status=");
  const nine = Array.from({ length: 9 }, (_, i) => `a${i}`).join("\n");
  assertThrows(() => readHooks(nine), UsageError, "give at most 8");
});

Deno.test("-tell-after is 0, or a duration of at most an hour", () => {
  assertEquals(["0", "30s", "1h"].map(readTellAfter), [0, 30_000, 3_600_000]);
  for (const text of ["1", "-1s", "61m", ""]) assertThrows(() => readTellAfter(text), UsageError);
});
