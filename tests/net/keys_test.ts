import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  KEY_LENGTH_MAX,
  KEY_LENGTH_MIN,
  KeyError,
  Keyring,
  KEYS_MAX,
  parseKeys,
} from "../../lib/net/keys.ts";
import { CLOCK_SKEW_MAX_MS, Signer } from "../../lib/net/signer.ts";

const OLD = "the old key, but without blanks".replaceAll(" ", "-");
const NEW = "the-new-key-of-32-random-letters";

function refusal(text: string): string {
  return assertThrows(() => parseKeys(text, "keys"), KeyError).message;
}

Deno.test("parseKeys() reads one key a line, without blanks around it, comments and empty lines", () => {
  assertEquals(parseKeys(`# first\r\n\n  ${NEW}\t\r\n#${OLD}\n${OLD}`, "keys"), [NEW, OLD]);
});

Deno.test("parseKeys() names file and line of a key it cannot use, and never the key", () => {
  const short = "x".repeat(KEY_LENGTH_MIN - 1);
  assertEquals(parseKeys(`${short}y`, "keys"), [`${short}y`]);
  assertEquals(
    refusal(`#\n${short}`),
    `Cannot use the key in keys, line 2: give at least ${KEY_LENGTH_MIN} characters`,
  );
  const long = "x".repeat(KEY_LENGTH_MAX);
  assertEquals(parseKeys(long, "keys"), [long]);
  assertEquals(
    refusal(`${long}x`),
    `Cannot use the key in keys, line 1: give at most ${KEY_LENGTH_MAX} characters`,
  );
  assertEquals(
    refusal(`${OLD}\n${OLD}`),
    "Cannot use the key in keys, line 2: it repeats an earlier line; remove one of them",
  );
  for (const odd of [`${OLD} ${NEW}`, `${OLD}\0`, `${OLD}é`]) {
    assertEquals(
      refusal(odd),
      "Cannot use the key in keys, line 1: give printable ASCII without blanks",
    );
  }
});

Deno.test("parseKeys() takes no text without a key, and at most KEYS_MAX of them", () => {
  for (const none of ["", "\n\n", "# only a comment"]) {
    assert(refusal(none).startsWith("Cannot use keys: it holds no key"), none);
  }
  const keys = Array.from({ length: KEYS_MAX + 1 }, (_, i) => `${OLD}${i}`);
  assertEquals(parseKeys(keys.slice(1).join("\n"), "keys").length, KEYS_MAX);
  assert(refusal(keys.join("\n")).endsWith(`line ${KEYS_MAX + 1}: give at most ${KEYS_MAX} keys`));
});

Deno.test("Keyring signs with HMAC-SHA256 under the first key", async () => {
  // Computed with openssl dgst -sha256 -hmac the-new-key-of-32-random-letters -binary | base64
  assertEquals(
    await new Keyring([NEW, OLD]).sign("text"),
    "z1QjLm9CPGLfeQ3GCy_T7BiwCS9K2YotTCn_PhWpAs4",
  );
});

Deno.test("Keyring verifies under any of its keys, and no text or code but that", async () => {
  const code = await new Keyring([OLD]).sign("text");
  assert(await new Keyring([NEW, OLD]).verify("text", code));
  assert(!await new Keyring([NEW]).verify("text", code), "another key");
  assert(!await new Keyring([NEW, OLD]).verify("text2", code), "another text");
  for (let i = 0; i < code.length; i++) {
    const flipped = code[i] === "A" ? "Q" : "A";
    const wrong = code.slice(0, i) + flipped + code.slice(i + 1);
    assert(!await new Keyring([OLD]).verify("text", wrong), `letter ${i}`);
  }
  for (const none of ["", "A", code.slice(1), `${code}A`, `${code}=`, "é".repeat(43)]) {
    assert(!await new Keyring([OLD]).verify("text", none), none);
  }
});

Deno.test("Keyring holds its keys, and no other text", async () => {
  const keyring = new Keyring([NEW, OLD]);
  assert(await keyring.holds(NEW) && await keyring.holds(OLD));
  for (const other of ["", NEW.slice(1), `${NEW}x`, "x".repeat(100_000), NEW.toUpperCase()]) {
    assert(!await keyring.holds(other), other.slice(0, 40));
  }
});

Deno.test("a change of key: old alone, new behind, new before, new alone; at each step neighbours agree", async () => {
  const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]];
  for (let i = 0; i < steps.length; i++) {
    for (const j of [i - 1, i, i + 1]) {
      const [mine, theirs] = [steps[i], steps[j]];
      if (mine === undefined || theirs === undefined) continue;
      const code = await new Keyring(mine).sign("text");
      assert(await new Keyring(theirs).verify("text", code), `${mine} -> ${theirs}`);
    }
  }
});

const REQUEST = { method: "POST", target: "/hello?from=n1&via=n1%3A80", body: '{"v":2}' };
const AT_MS = Date.UTC(2026, 0, 1);

function signer(keys = [NEW], cluster = "default", atMs = AT_MS): Signer {
  return new Signer({ keyring: new Keyring(keys), cluster, wallMs: () => atMs });
}

Deno.test("Signer.check() takes a request only as it was signed: method, path, query, sender, body, cluster, time", async () => {
  const { authorization, code } = await signer().sign(REQUEST);
  assertEquals(await signer().check(REQUEST, authorization), { code });
  const changed = [
    { method: "GET" },
    { target: "/bye?from=n1&via=n1%3A80" },
    { target: "/hello?from=n2&via=n1%3A80" },
    { target: "/hello?from=n1&via=n2%3A80" },
    { target: "/hello?from=n1&via=n1%3A80&id=n1" },
    { body: '{"v":1}' },
    { body: "" },
  ];
  for (const change of changed) {
    const { code, error } = await signer().check({ ...REQUEST, ...change }, authorization);
    assert(code === undefined && error !== undefined, JSON.stringify(change));
  }
  const other = signer([NEW], "staging");
  assertEquals((await other.check(REQUEST, authorization)).code, undefined);
  const later = authorization.replace(/[0-9]+\./, (ms) => `${Number.parseInt(ms) + 1}.`);
  assert(later !== authorization);
  assertEquals((await signer().check(REQUEST, later)).code, undefined);
  for (const none of ["", "Gossip", "Gossip 1.", "Bearer x", `Basic ${btoa("x:y")}`, code]) {
    assertEquals((await signer().check(REQUEST, none)).code, undefined, none);
  }
});

Deno.test("Signer.check() refuses a request over a minute old or early, with both times", async () => {
  const { authorization, code } = await signer().sign(REQUEST);
  for (const offMs of [CLOCK_SKEW_MAX_MS, -CLOCK_SKEW_MAX_MS]) {
    const at = signer([NEW], "default", AT_MS + offMs);
    assertEquals(await at.check(REQUEST, authorization), { code });
    const beyond = signer([NEW], "default", AT_MS + offMs + Math.sign(offMs));
    const { error } = await beyond.check(REQUEST, authorization);
    assert(
      error?.startsWith("The clocks differ by over a minute: 2026-01-01T00:00:00.000Z there, "),
    );
  }
});

Deno.test("Signer.checkAnswer() takes an answer only to its request, with its status and body", async () => {
  const { code } = await signer().sign(REQUEST);
  const { code: another } = await signer().sign({ ...REQUEST, body: "" });
  const proof = await signer().signAnswer(code, 200, "text");
  const answer = { status: 200, body: "text", proof };
  assert(await signer().checkAnswer(code, answer));
  assert(!await signer().checkAnswer(another, answer));
  assert(!await signer().checkAnswer(code, { ...answer, status: 401 }));
  assert(!await signer().checkAnswer(code, { ...answer, body: "text2" }));
  assert(!await signer().checkAnswer(code, { ...answer, proof: undefined }));
  assert(!await signer().checkAnswer(code, { ...answer, proof: code }), "its own code sent back");
  assert(!await signer([OLD]).checkAnswer(code, answer));
});
