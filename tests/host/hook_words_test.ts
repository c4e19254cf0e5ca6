import { assert, assertEquals } from "@std/assert";
import type { ChangeToTell } from "../../lib/hook.ts";
import {
  LISTED_MAX,
  madeUp,
  messageOf,
  sentenceOf,
  variablesOf,
} from "../../lib/host/hook_words.ts";
import { changeToTell } from "../support/changes.ts";

const SENDER = { by: "n1", cluster: "prod", members: 64, wallMs: Date.UTC(2026, 0, 12, 12, 0, 5) };

const changes = (count: number) =>
  Array.from({ length: count }, (_, i) => changeToTell(`n${i + 1}`));

Deno.test("sentenceOf() says of one member what it is and why, and does not say it twice", () => {
  const words = (part: Partial<ChangeToTell>) => sentenceOf([changeToTell("n5", part)], 64);
  assertEquals(words({}), "n5 is dead: connection refused");
  assertEquals(words({ to: "left", reason: "left: SIGTERM" }), "n5 left: SIGTERM");
  assertEquals(words({ to: "live", reason: "heard directly" }), "n5 is live: heard directly");
  assertEquals(words({ to: "cut-off", reason: "" }), "n5 is cut-off");
  assertEquals(words({ reason: "a\n\x1b[2Jb" }), "n5 is dead: a [2Jb");
});

Deno.test("sentenceOf() makes forty deaths one sentence, with eight names", () => {
  assertEquals(
    sentenceOf(changes(40), 64),
    "40 of 64 members are dead: n1, n2, n3, n4, n5, n6, n7, n8 and 32 more",
  );
  assertEquals(sentenceOf(changes(2), 2), "2 of 2 members are dead: n1 and n2");
  assertEquals(sentenceOf(changes(3), 2), "3 of 3 members are dead: n1, n2 and n3");
});

Deno.test("sentenceOf() groups changes by what members became", () => {
  const mixed = [
    changeToTell("n1"),
    changeToTell("n2", { to: "left", reason: "left: SIGTERM" }),
    changeToTell("n3"),
  ];
  assertEquals(sentenceOf(mixed, 9), "2 of 9 members are dead: n1 and n3; n2 left: SIGTERM");
});

Deno.test("messageOf() has the sentence, who tells, and each change with its time", () => {
  const telling = { hook: "pager", key: "k1", changes: [changeToTell("n5", { from: undefined })] };
  assertEquals(messageOf(telling, SENDER), {
    text: "n5 is dead: connection refused",
    hook: "pager",
    key: "k1",
    by: "n1",
    cluster: "prod",
    changes: [{
      key: "n5.k",
      id: "n5",
      address: "n5:8080",
      tags: { role: "web" },
      to: "dead",
      reason: "connection refused",
      from: null,
      at: "2026-01-12T12:00:03.000Z",
    }],
  });
});

Deno.test("a test says so in its text, its message and its variables, and names nobody who could be hit", () => {
  const message = messageOf(madeUp("pager", "test-1", { role: "web" }), SENDER, true);
  assertEquals(message.test, true);
  assert(message.text.startsWith("test: gossiper-test is dead"), message.text);
  const { GOSSIPER_TEST, GOSSIPER_ADDRESS, GOSSIPER_TAG_role } = variablesOf(message);
  assertEquals([GOSSIPER_TEST, GOSSIPER_ADDRESS, GOSSIPER_TAG_role], [
    "1",
    "192.0.2.1:8080",
    "web",
  ]);
});

Deno.test("variablesOf() gives one change's words", () => {
  const tags = { role: "web", "data-center": "a" };
  const telling = { hook: "pager", key: "k1", changes: [changeToTell("n5", { tags })] };
  assertEquals(variablesOf(messageOf(telling, SENDER)), {
    GOSSIPER_HOOK: "pager",
    GOSSIPER_KEY: "k1",
    GOSSIPER_TEXT: "n5 is dead: connection refused",
    GOSSIPER_COUNT: "1",
    GOSSIPER_ID: "n5",
    GOSSIPER_ADDRESS: "n5:8080",
    GOSSIPER_FROM: "live",
    GOSSIPER_TO: "dead",
    GOSSIPER_REASON: "connection refused",
    GOSSIPER_AT: "2026-01-12T12:00:03.000Z",
    GOSSIPER_TAG_role: "web",
    GOSSIPER_TAG_data_center: "a",
  });
});

Deno.test("variablesOf() gives of several lists in one order, bounded, and the tags that all have", () => {
  const [first, second] = [
    changeToTell("n1"),
    changeToTell("n2", { address: "", tags: {}, from: undefined }),
  ];
  const both = variablesOf(messageOf({ hook: "h", key: "k", changes: [first, second] }, SENDER));
  assertEquals(both["GOSSIPER_ID"], "n1 n2");
  assertEquals(both["GOSSIPER_ADDRESS"], "n1:8080 -");
  assertEquals(both["GOSSIPER_FROM"], "live -");
  assertEquals(both["GOSSIPER_TO"], "dead dead");
  assertEquals(both["GOSSIPER_TAG_role"], undefined);
  const many = messageOf({ hook: "h", key: "k", changes: changes(1_000) }, SENDER);
  const { GOSSIPER_COUNT, GOSSIPER_ID } = variablesOf(many);
  assertEquals([GOSSIPER_COUNT, GOSSIPER_ID!.split(" ").length], ["1000", LISTED_MAX]);
  assertEquals(many.changes.length, 1_000);
});

Deno.test("variablesOf() holds no character that a system refuses or a log line breaks at", () => {
  const hostile = changeToTell("n5", { reason: "a\0b\nc\u2028d\x7f" });
  const { GOSSIPER_REASON } = variablesOf(
    messageOf({ hook: "h", key: "k", changes: [hostile] }, SENDER),
  );
  assertEquals(GOSSIPER_REASON, "a b c d ");
});
