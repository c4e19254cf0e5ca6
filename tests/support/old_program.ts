/**
 * The last program before ticks, out of the history of this repository, where it is tagged `wire-v2`.
 *
 * @module
 */

/** What the tag names: a clone may come without tags. */
const WIRE_V2 = "b1faa02";

const PARTS = ["main.ts", "deno.json", "deno.lock", "lib", "static"];

async function git(...args: string[]): Promise<Uint8Array | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return success ? stdout : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const archive = await git("archive", "--format=tar", WIRE_V2, ...PARTS);

/** False in a copy without history, which has no old program. */
export const HAS_OLD_PROGRAM = archive !== undefined;

/** Unpacks the old program into a folder, and deletes it after `use`. */
export async function withOldProgram(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "gossiper_wire_v2_" });
  try {
    await Deno.writeFile(`${folder}/program.tar`, archive!);
    const args = ["-xf", `${folder}/program.tar`, "-C", folder];
    const { success } = await new Deno.Command("tar", { args }).output();
    if (!success) throw new Error("Cannot unpack the old program: tar failed");
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
