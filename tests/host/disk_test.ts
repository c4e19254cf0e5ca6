import { assertEquals } from "@std/assert";
import { followLinks } from "../../lib/host/disk.ts";

const ignore = Deno.build.os === "windows";

Deno.test("followLinks() follows 40 links, as the system does, to a file that is there or not", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/file`;
    assertEquals(followLinks(file), file);
    await Deno.symlink(file, `${folder}/1`);
    for (let i = 2; i <= 40; i++) await Deno.symlink(`${i - 1}`, `${folder}/${i}`);
    assertEquals(followLinks(`${folder}/40`), file);
    await Deno.writeTextFile(file, "");
    assertEquals(followLinks(`${folder}/40`), file);
    assertEquals(await Deno.realPath(`${folder}/40`), await Deno.realPath(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("followLinks() of links in a ring ends", { ignore }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink("b", `${folder}/a`);
    await Deno.symlink("a", `${folder}/b`);
    assertEquals(followLinks(`${folder}/a`), `${folder}/a`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
