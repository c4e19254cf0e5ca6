import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CredentialsError } from "../../lib/host/credential_files.ts";
import { Credentials, type CredentialsOptions } from "../../lib/host/credentials.ts";
import { expiryWarning } from "../../lib/host/expiry.ts";
import { Authority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { keptLog } from "../support/logs.ts";

const OLD = "old.key.of.thirty-two.characters";
const NEW = "new.key.of.thirty-two.characters";
const DAY_MS = 24 * 3_600_000;

/** The credentials of these files, in a cluster without a key unless one gives it, and what they log. */
function credentialsOf(options: Partial<CredentialsOptions>) {
  const { log, lines } = keptLog();
  const credentials = new Credentials({
    keyFile: undefined,
    keyText: undefined,
    tls: undefined,
    cluster: "default",
    log,
    wallMs: () => 0,
    ...options,
  });
  return { credentials, lines };
}

/** The credentials of a key file that `read` reads from the second time on. */
async function open(read?: (path: string) => Promise<string>) {
  const keyFile = await Deno.makeTempFile();
  await Deno.writeTextFile(keyFile, OLD);
  return {
    ...credentialsOf({ keyFile, readMs: 1, ...(read && { read }) }),
    keyFile,
    [Symbol.asyncDispose]: () => Deno.remove(keyFile),
  };
}

Deno.test("Credentials.reload() on a disk that hangs says so once, holds up nothing, and goes on when the disk does", async () => {
  const disk = Promise.withResolvers<string>();
  let reads = 0;
  await using opened = await open(() => {
    reads++;
    return disk.promise;
  });
  const { credentials, lines } = opened;
  const reloads = [credentials.reload()];
  await eventually(() => assertEquals(lines.length, 1));
  for (let i = 0; i < 9; i++) reloads.push(credentials.reload());
  assertStringIncludes(lines[0]!, "error: Cannot read the files of keys and certificates: ");
  assertEquals(reads, 1, "one read under way at a time");
  disk.resolve(NEW);
  await Promise.all(reloads);
  assertEquals(reads, 2, "reloads that wait share one read");
  assertEquals([lines.length, await credentials.keys?.keyring.holds(NEW)], [3, true]);
});

Deno.test("Credentials.reload() says once that a file cannot be read, and once that it can again", async () => {
  let isThere = true;
  await using opened = await open(() =>
    isThere ? Promise.resolve(OLD) : Promise.reject(new Deno.errors.PermissionDenied("no"))
  );
  const { credentials, lines, keyFile } = opened;
  for (const is of [true, false, false, true, true]) {
    isThere = is;
    await credentials.reload();
  }
  assertEquals(lines.length, 2, lines.join("\n"));
  assertStringIncludes(
    lines[0]!,
    `error: Cannot read -key-file ${keyFile}: no; the former stays in use`,
  );
  assertStringIncludes(lines[1]!, "the files of keys and certificates can be used again");
});

Deno.test("Credentials.reload() while a read is under way reads once more: that read may have missed the change", async () => {
  const first = Promise.withResolvers<string>();
  let reads = 0;
  await using opened = await open(() => ++reads === 1 ? first.promise : Promise.resolve(NEW));
  const { credentials } = opened;
  void credentials.reload();
  await eventually(() => assertEquals(reads, 1));
  const second = credentials.reload();
  first.resolve(OLD);
  await second;
  assertEquals([reads, await credentials.keys?.keyring.holds(NEW)], [2, true]);
});

Deno.test("Credentials refuses a file of keys that is empty: a node with -key-file never runs without a key", async () => {
  await using opened = await open();
  const { keyFile } = opened;
  for (const text of ["", "\n", "# later\n"]) {
    await Deno.writeTextFile(keyFile, text);
    assertThrows(
      () => credentialsOf({ keyFile }),
      CredentialsError,
      `Cannot use ${keyFile}: it holds no key`,
    );
  }
});

Deno.test("Credentials.watch() finds a changed key by itself", async () => {
  await using opened = await open();
  const { credentials, keyFile } = opened;
  credentials.watch(() => Promise.resolve());
  try {
    await Deno.writeTextFile(keyFile, NEW);
    await eventually(async () => assertEquals(await credentials.keys?.keyring.holds(NEW), true));
  } finally {
    credentials.close();
  }
});

Deno.test("Credentials.reload() takes certificate, key and authorities into use where one of them changed, and else says nothing", async () => {
  await using authority = await Authority.create();
  const pem = await Deno.readTextFile(authority.ca);
  const tls = {
    cert: `${authority.folder}/cert`,
    key: `${authority.folder}/key`,
    ca: authority.ca,
  };
  const write = (path: string, word: string) =>
    Deno.writeTextFile(path, path === tls.ca ? `${word}\n${pem}` : word);
  for (const path of Object.values(tls)) await write(path, "old");
  const { credentials, lines } = credentialsOf({ tls });
  const taken: string[] = [];
  credentials.watch(({ cert, key, ca = "" }) => {
    taken.push([cert, key, ca.slice(0, 3)].join(" "));
    return Promise.resolve();
  });
  credentials.close();
  await credentials.reload();
  assertEquals([taken, lines], [[], []]);
  for (const path of Object.values(tls)) {
    await write(path, "new");
    await credentials.reload();
    await credentials.reload();
  }
  assertEquals(taken, ["new old old", "new new old", "new new new"]);
  assertEquals([lines.length, credentials.authorities], [3, [`new\n${pem}`]]);
});

Deno.test("Credentials.reload() takes each file into use though another, of whatever kind, cannot be used", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const tls = { cert, key, ca: authority.ca };
  const good = await Deno.readTextFile(tls.ca);
  const keyFile = `${authority.folder}/keys`;
  await Deno.writeTextFile(keyFile, OLD);
  const { credentials, lines } = credentialsOf({ keyFile, tls });
  const taken: string[] = [];
  let refuses = false;
  credentials.watch(({ cert }) => {
    if (refuses) return Promise.reject(new Error("the key is of another certificate"));
    taken.push(cert);
    return Promise.resolve();
  });
  credentials.close();
  // A certificate is renewed beside a bad file of keys, and one of authorities that is gone.
  await Deno.writeTextFile(keyFile, "short");
  await Deno.remove(tls.ca);
  await Deno.writeTextFile(cert, "renewed");
  await credentials.reload();
  assertEquals([taken, credentials.authorities], [["renewed"], [good]]);
  const [renewed, trouble, ...others] = lines;
  assertStringIncludes(renewed!, "the certificate changed");
  assertStringIncludes(trouble!, `error: Cannot read -tls-ca ${tls.ca}: `);
  assertStringIncludes(trouble!, `; Cannot use the key in ${keyFile}, line 1: `);
  assertEquals(others, []);
  // A key and an authority are taken beside a certificate that cannot be used.
  refuses = true;
  await Deno.writeTextFile(cert, "broken");
  await Deno.writeTextFile(keyFile, NEW);
  await Deno.writeTextFile(tls.ca, `new\n${good}`);
  await credentials.reload();
  assertEquals(await credentials.keys?.keyring.holds(NEW), true);
  assertEquals(credentials.authorities, [`new\n${good}`]);
  assertEquals(credentials.tls?.cert, "renewed");
});

Deno.test("Credentials refuses a file of authorities that holds none, or one that is broken; on reload the former stays", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const tls = { cert, key, ca: authority.ca };
  const open = () => credentialsOf({ tls });
  const good = await Deno.readTextFile(tls.ca);
  const request = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
  const { credentials, lines } = open();
  for (const text of ["", "no PEM", await Deno.readTextFile(key), request]) {
    await Deno.writeTextFile(tls.ca, text);
    const why = `Cannot use -tls-ca ${tls.ca}: it holds no certificate in PEM`;
    assertEquals(assertThrows(open, CredentialsError).message, why);
    await credentials.reload();
    assertStringIncludes(lines.at(-1)!, `error: ${why}; the former stays in use`);
  }
  await Deno.writeTextFile(tls.ca, good.slice(0, good.length / 2));
  assertThrows(open, CredentialsError, "it holds a certificate that cannot be read: ");
  await credentials.reload();
  assertEquals(credentials.authorities, [good]);
});

Deno.test(
  "Credentials refuses what is not a regular file: a FIFO would block, and /dev/zero has no end",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const folder = await Deno.makeTempDir();
    const fifo = `${folder}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    for (
      const [path, why] of [[fifo, "a regular file"], ["/dev/zero", "a regular file"], [
        folder,
        "a folder",
      ]]
    ) {
      const make = () => credentialsOf({ keyFile: path! });
      const error = assertThrows(make, CredentialsError, `Cannot use -key-file ${path}: it is `);
      assertStringIncludes(error.message, why!);
    }
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("Credentials.watch() warns of a certificate that soon expires at once, not when it first reads the files again", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue(undefined, 2);
  const tls = { cert, key, ca: undefined };
  const { credentials, lines } = credentialsOf({ tls, wallMs: Date.now });
  credentials.watch(() => Promise.resolve());
  // From here on it reads nothing more.
  credentials.close();
  await eventually(() => assertEquals(lines.length, 1));
  assertStringIncludes(lines[0]!, `warning: The certificate in ${cert} expires in 1 day`);
  await credentials.reload();
  assertEquals(lines.length, 1, "it is said once");
});

Deno.test("expiryWarning() warns from two weeks before a certificate expires", () => {
  const expiresMs = Date.UTC(2026, 5, 1, 12);
  const at = (leftMs: number) => expiryWarning("c.pem", expiresMs, expiresMs - leftMs);
  assertEquals(at(14 * DAY_MS + 1), undefined);
  const expires = "The certificate in c.pem expires";
  assertEquals(at(14 * DAY_MS), `${expires} in 14 days, on 2026-06-01: renew it`);
  assertEquals(at(DAY_MS), `${expires} in 1 day, on 2026-06-01: renew it`);
  assertEquals(at(1), `${expires} within a day, on 2026-06-01: renew it`);
  for (const leftMs of [0, -400 * DAY_MS]) {
    assertEquals(at(leftMs), "The certificate in c.pem expired on 2026-06-01: renew it");
  }
});
