import { assertEquals } from "@std/assert";

const TARGET = "x86_64-unknown-linux-gnu";

/** How programs begin: of Linux on x86_64, and of Windows. */
const ELF = [0x7f, 0x45, 0x4c, 0x46, ...new Array<number>(14).fill(0), 0x3e, 0];
const EXE = [0x4d, 0x5a, ...new Array<number>(18).fill(0)];

/** What `.build/compile.ts` says of a runtime with these bytes. */
async function compileWith(head: readonly number[], text: string): Promise<string> {
  const denort = await Deno.makeTempFile();
  try {
    await Deno.writeFile(denort, new Uint8Array([...head, ...new TextEncoder().encode(text)]));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", ".build/compile.ts", "--target", TARGET],
      cwd: new URL("../../", import.meta.url),
      env: { DENORT_BIN: denort, NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    return new TextDecoder().decode(stderr).replace(denort, "DENORT");
  } finally {
    await Deno.remove(denort);
  }
}

Deno.test("a DENORT_BIN of another version is refused, as one of another system is", async () => {
  const { deno } = Deno.version;
  assertEquals(
    await compileWith(ELF, "abc9Deno/1.2.3Deno/1.2.3 ..."),
    `Cannot use DENORT: it is of Deno 1.2.3, and Deno ${deno} compiles here\n`,
  );
  assertEquals(
    await compileWith(ELF, `Deno/${deno}1`),
    `Cannot use DENORT: it is of Deno ${deno}1, and Deno ${deno} compiles here\n`,
  );
  assertEquals(
    await compileWith(ELF, "no runtime at all"),
    `Cannot use DENORT: it says no version, and Deno ${deno} compiles here\n`,
  );
  assertEquals(
    await compileWith(EXE, `Deno/${deno}`),
    `Cannot use DENORT for ${TARGET}: it is made for another system\n`,
  );
});
