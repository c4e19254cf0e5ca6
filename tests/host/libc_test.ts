import { assertEquals, assertMatch } from "@std/assert";

const LIBC = new URL("../../lib/host/libc.ts", import.meta.url).href;

/** What a program with the rights of a binary prints: the runtime itself reads it nothing of /proc. */
async function print(words: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/program.ts`;
    await Deno.writeTextFile(program, `import { readProc } from "${LIBC}";\n${words}`);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-ffi", program],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const options = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "a file of /proc is read without the right to do everything, which a binary lacks",
  options,
  async () => {
    const routes = Deno.readTextFileSync("/proc/net/route");
    assertEquals(await print('console.log(readProc("/proc/net/route"));'), `${routes}\n`);
    assertMatch(
      await print('console.log(readProc("/proc/self/status"));'),
      /^SigIgn:\t[0-9a-f]+$/m,
    );
  },
);

Deno.test(
  "one that is not there, a folder, and one after the right to ask the C library was given up, fails",
  options,
  async () => {
    assertMatch(await print('readProc("/proc/none");'), /Error: cannot open \/proc\/none/);
    assertMatch(await print('readProc("/proc/net");'), /Error: cannot read \/proc\/net/);
    const revoked =
      'await Deno.permissions.revoke({ name: "ffi" });\nreadProc("/proc/self/status");';
    assertMatch(await print(revoked), /NotCapable/);
    const kept =
      `import { keepProc } from "${LIBC}";\nkeepProc();\n${revoked}\nconsole.log("read");`;
    assertEquals(await print(kept), "read\n", "unless it was bound before");
  },
);
