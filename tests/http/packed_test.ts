import { assert, assertEquals } from "@std/assert";
import { Copy, Packed } from "../../lib/http/packed.ts";

const decoder = new TextDecoder();

/** Files of a copy, and how many of them were closed. */
function filesOf(count: number) {
  const seen = { closed: 0 };
  const file = { close: () => void seen.closed++ } as Deno.FsFile;
  return { seen, files: Array.from({ length: count }, () => file) };
}

Deno.test("Copy lends each of its files to one reader at a time, and takes them back", () => {
  const { files, seen } = filesOf(2);
  const copy = new Copy(9, files);
  const [first, second] = [copy.take(), copy.take()];
  assert(first !== undefined && second !== undefined);
  assertEquals(copy.take(), undefined);
  copy.give(first);
  assertEquals([copy.take(), seen.closed], [first, 0]);
});

Deno.test("Copy.drop() closes what nobody reads at once, and the rest when it is given back", () => {
  const { files, seen } = filesOf(2);
  const copy = new Copy(9, files);
  const file = copy.take()!;
  copy.drop();
  assertEquals(seen.closed, 1);
  copy.give(file);
  assertEquals([seen.closed, copy.take()], [2, undefined]);
});

Deno.test(
  "Packed makes one copy of each version of a file, keeps the five made last, and gives none where it cannot",
  {
    sanitizeResources: true,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/file`;
      await Deno.writeTextFile(path, "text ".repeat(9_999));
      const packed = new Packed(1);
      const copies = [];
      for (const version of ["1", "2", "3", "4", "5"]) copies.push(await packed.of(path, version));
      assertEquals(await packed.of(path, "1"), copies[0]);
      const [first, second] = copies;
      const file = second!.take()!;
      const bytes = new Uint8Array(second!.size + 1);
      await file.seek(0, Deno.SeekMode.Start);
      assertEquals(await file.read(bytes), second!.size);
      const unpacked = new Blob([bytes.subarray(0, second!.size)]).stream()
        .pipeThrough(new DecompressionStream("gzip"));
      let text = "";
      for await (const part of unpacked) text += decoder.decode(part);
      assertEquals(text, "text ".repeat(9_999));
      second!.give(file);

      copies.push(await packed.of(path, "6"));
      assertEquals(first!.take(), undefined, "it made room");
      assert(await packed.of(path, "1") !== first);
      assertEquals(second!.take(), undefined);
      assertEquals(await packed.of(`${folder}/missing`, "1"), undefined);
      for (const version of ["a", "b", "c", "d", "e"]) await packed.of(`${folder}/no`, version);
      for (const copy of copies) assertEquals(copy!.take(), undefined);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("a copy that could not be made is made a minute later, and not tried at each request until then", async () => {
  const folder = await Deno.makeTempDir();
  let nowMs = 0;
  const packed = new Packed(1, () => nowMs);
  const path = `${folder}/file`;
  try {
    assertEquals(await packed.of(path, "1"), undefined);
    await Deno.writeTextFile(path, "text");
    nowMs = 59_000;
    assertEquals(await packed.of(path, "1"), undefined);
    nowMs = 60_000;
    const copy = await packed.of(path, "1");
    assert(copy !== undefined);
    nowMs = 600_000;
    assertEquals(await packed.of(path, "1"), copy);
    copy.drop();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
