import { assertEquals, assertThrows } from "@std/assert";
import { LABEL_FLAGS, labelsOf, readTags } from "../../lib/config/labels.ts";
import { readFlags, splitFlags, UsageError } from "../../lib/config/flags.ts";

function read(...args: string[]) {
  return labelsOf(readFlags(LABEL_FLAGS, splitFlags(LABEL_FLAGS, args), () => undefined), []);
}

Deno.test("-tag and -port-of are given once for each, and kept by name", () => {
  assertEquals(read("-tag", "zone=a", "-port-of", "web=3000", "-tag", "role=web=1"), {
    tags: { role: "web=1", zone: "a" },
    ports: { web: 3_000 },
  });
  assertEquals(read(), { tags: {}, ports: {} });
});

Deno.test("GOSSIPER_TAG takes several, with blanks between them", () => {
  const env = (name: string) => name === "GOSSIPER_TAG" ? "role=web  zone=a" : undefined;
  assertEquals(readFlags(LABEL_FLAGS, new Map(), env).tag, { role: "web", zone: "a" });
});

Deno.test("a wrong tag or port says what to give", () => {
  const wrong: Record<string, string[]> = {
    "-tag": ["role", "=web", "1=web", "ro le=web", "role=", "role=é", "role=a role=b"],
    "-port-of": ["web", "web=", "web=0", "web=65536", "web=80a", "web=-1", "web=1e3"],
  };
  for (const [flag, texts] of Object.entries(wrong)) {
    for (const text of texts) {
      assertThrows(() => read(flag, text), UsageError, "give ", `${flag} ${text}`);
    }
  }
});

Deno.test("of several tags or ports the wrong one is named, and alone", () => {
  const wrong: [args: string[], says: string][] = [
    [["-tag", "role=web", "-tag", "zone"], "Cannot use -tag: of 'zone': give NAME=VALUE"],
    [["-tag", "role=web", "-tag", "zone=é"], "Cannot use -tag: of 'zone=\\u00e9': give as value"],
    [["-tag", "role=a", "-tag", "role=b"], "Cannot use -tag: of 'role=b': give 'role' once"],
    [["-tag", "role=a zone"], "Cannot use -tag 'role=a zone': of 'zone': give NAME=VALUE"],
    [["-port-of", "web=1", "-port-of", "a=b"], "Cannot use -port-of: of 'a=b': give a port"],
    [["-tag", "zone"], "Cannot use -tag 'zone': give NAME=VALUE"],
    [["-tag", "zone\n"], "Cannot use -tag 'zone': give NAME=VALUE"],
  ];
  for (const [args, says] of wrong) assertThrows(() => read(...args), UsageError, says);
});

Deno.test("tags and ports together are bounded, in number and in bytes", () => {
  const many = (count: number, value: string) =>
    Array.from({ length: count }, (_, i) => `k${i}=${value}`).join(" ");
  assertEquals(Object.keys(readTags(many(16, "x"))).length, 16);
  assertThrows(() => readTags(many(17, "x")), UsageError, "at most 16");
  assertThrows(() => read("-tag", many(10, "x".repeat(60))), UsageError, "384 bytes");
});
