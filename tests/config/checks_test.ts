import { assertEquals, assertThrows } from "@std/assert";
import {
  CHECKS_MAX,
  type CheckTarget,
  labelOf,
  readCheck,
  readChecks,
} from "../../lib/config/checks.ts";
import { UsageError } from "../../lib/config/flags.ts";

const DEFAULTS = { name: undefined, everyMs: 10_000, timeoutMs: 3_000, fall: 2, rise: 1 };

const LOCAL = { host: "localhost", port: 3000 };

function usageOf(text: string): string {
  return assertThrows(() => readCheck(text), UsageError).message;
}

Deno.test("readCheck() takes a URL, a port, a command or a file, with defaults for all else", () => {
  const targets: Record<string, CheckTarget> = {
    "http://localhost:3000/health?deep=1": {
      kind: "http",
      address: LOCAL,
      tls: false,
      path: "/health?deep=1",
    },
    "http://localhost": {
      kind: "http",
      address: { host: "localhost", port: 80 },
      tls: false,
      path: "/",
    },
    "https://[::1]/a": { kind: "http", address: { host: "::1", port: 443 }, tls: true, path: "/a" },
    "tcp:localhost:3000": { kind: "tcp", address: LOCAL },
    "tcp:[::1]:3000": { kind: "tcp", address: { host: "::1", port: 3000 } },
    "exec:pg_isready -q": { kind: "exec", command: "pg_isready -q" },
    "file:/run/web.beat<5m": { kind: "file", path: "/run/web.beat", ageMaxMs: 300_000 },
    "file:a<b<1.5s": { kind: "file", path: "a<b", ageMaxMs: 1_500 },
  };
  for (const [text, target] of Object.entries(targets)) {
    assertEquals(readCheck(text), { target, ...DEFAULTS }, text);
  }
});

Deno.test("readCheck() takes options at the end only, so that a command and a URL keep their commas", () => {
  const options = ",every=5s,timeout=500ms,fall=3,rise=2,name=db";
  const read = { everyMs: 5_000, timeoutMs: 500, fall: 3, rise: 2, name: "db" };
  const tcp = { kind: "tcp", address: LOCAL } as const;
  assertEquals(readCheck(`tcp:localhost:3000${options}`), { target: tcp, ...read });
  for (
    const command of [
      "mount -o rw,size=5m",
      "echo a,every=1s,b",
      "echo ,name=x y,",
      "a\tb",
      'a,"evry"=1',
    ]
  ) {
    const { target, name } = readCheck(`exec:${command},name=db`);
    assertEquals([target, name], [{ kind: "exec", command }, "db"]);
  }
  const { target } = readCheck("http://localhost:3000/a,b?c=d,fall=1");
  assertEquals(target, { kind: "http", address: LOCAL, tls: false, path: "/a,b?c=d" });
});

Deno.test("readCheck() takes the bounds themselves", () => {
  assertEquals(readCheck("exec:a,every=1h,timeout=1m,fall=100,rise=100"), {
    target: { kind: "exec", command: "a" },
    name: undefined,
    everyMs: 3_600_000,
    timeoutMs: 60_000,
    fall: 100,
    rise: 100,
  });
  assertEquals(readCheck("exec:a,every=1s,timeout=1s").everyMs, 1_000);
  for (const age of ["1ms", "8784h"]) assertEquals(readCheck(`file:a<${age}`).target.kind, "file");
});

Deno.test("a check that runs more often than its usual time-out has that much time", () => {
  assertEquals(readCheck("exec:a,every=1s").timeoutMs, 1_000);
  assertEquals(readCheck("exec:a,every=1m").timeoutMs, 3_000);
});

Deno.test("readCheck() says of each mistake what to give instead", () => {
  const forms = "give http://HOST:PORT/PATH, https://..., tcp:HOST:PORT, exec:COMMAND or " +
    "'file:PATH<AGE', and after it ,every=10s,timeout=3s,fall=2,rise=1,name=NAME as you need";
  const said: Record<string, string> = {
    "": forms,
    "localhost:3000": forms,
    "exec:": forms,
    "exec: ": forms,
    "ftp://localhost/": forms,
    "http:/localhost": "give a URL such as http://localhost:3000/health",
    "http://": "give a URL such as http://localhost:3000/health",
    "http://a b/": "give a URL such as http://localhost:3000/health",
    "http://localhost:0/": "give a URL such as http://localhost:3000/health",
    "http://me:secret@localhost/":
      "give a URL without user and password: others read the command line",
    "tcp:localhost": "give tcp:HOST:PORT, such as tcp:localhost:5432 or tcp:[::1]:5432",
    "tcp:localhost:0": "give tcp:HOST:PORT, such as tcp:localhost:5432 or tcp:[::1]:5432",
    "tcp:localhost:1,evry=5s": "'evry' is no option; give every, timeout, fall, rise or name",
    "file:/run/beat": "give 'file:PATH<AGE' in quotes, such as 'file:/run/web.beat<5m'",
    "file:a\0b<5m": "give 'file:PATH<AGE' in quotes, such as 'file:/run/web.beat<5m'",
    "exec:a\0b": forms,
    "file:<5m": "give 'file:PATH<AGE' in quotes, such as 'file:/run/web.beat<5m'",
    "file:/run/beat<5": "give a number and one of ms, s, m or h, such as 500ms, 5s or 72h",
    "file:/run/beat<0s": "give an age of at most 8784h",
    "file:/run/beat<9000h": "give an age of at most 8784h",
    "exec:a,every=5": "give a number and one of ms, s, m or h, such as 500ms, 5s or 72h",
    "exec:a,every=500ms": "give every= a duration from 1s to 1h",
    "exec:a,every=2h": "give every= a duration from 1s to 1h",
    "exec:a,timeout=10ms": "give timeout= a duration from 100ms to 1m",
    "exec:a,timeout=2m,every=1h": "give timeout= a duration from 100ms to 1m",
    "exec:a,timeout=20s": "give a timeout of at most every=10s, not 20s",
    "exec:a,fall=0": "give fall= a number from 1 to 100",
    "exec:a,rise=101": "give rise= a number from 1 to 100",
    "exec:a,rise=1e1": "give rise= a number from 1 to 100",
    "exec:a,name=": "give a name of 1 to 32 of the characters A-Z a-z 0-9 . _ -",
    "exec:a,name=a b": "give a name of 1 to 32 of the characters A-Z a-z 0-9 . _ -",
    "exec:a,fall=1,fall=2": "give fall= once",
    "exec:a,evry=3s": `'evry' is no option: did you mean every? In a command write "evry"=`,
    "exec:a,timout=3s,name=a":
      `'timout' is no option: did you mean timeout? In a command write "timout"=`,
  };
  for (const [text, usage] of Object.entries(said)) assertEquals(usageOf(text), usage, text);
});

Deno.test("words about a check begin with its name, or with what it looks at", () => {
  const labels: Record<string, string> = {
    "tcp:localhost:5432": "tcp localhost:5432",
    "http://localhost:3000/health": "http localhost:3000",
    "https://localhost/health": "https localhost:443",
    "exec:a": "exec",
    "file:/run/beat<5m": "file /run/beat",
    "exec:a,name=db": "db",
  };
  for (const [text, label] of Object.entries(labels)) {
    assertEquals(labelOf(readCheck(text)), label);
  }
});

Deno.test("readChecks() takes 16 checks, one per line, and no two of one name; it says which is wrong", () => {
  assertEquals(readChecks(""), []);
  assertEquals(readChecks(" exec:a,b\n\ntcp:a:1\n"), ["exec:a,b", "tcp:a:1"].map(readCheck));
  const many = Array<string>(CHECKS_MAX).fill("exec:a").join("\n");
  assertEquals(readChecks(many).length, 16);
  const faults: Record<string, string> = {
    [`${many}\nexec:b`]: "give at most 16",
    "exec:a,name=db\nexec:b,name=db": "two are called 'db'; give each a name of its own",
    "tcp:a": "give tcp:HOST:PORT, such as tcp:localhost:5432 or tcp:[::1]:5432",
    "exec:a\nexec:b,fall=0": "of 'exec:b,fall=0': give fall= a number from 1 to 100",
  };
  for (const [text, usage] of Object.entries(faults)) {
    assertEquals(assertThrows(() => readChecks(text), UsageError).message, usage);
  }
});
