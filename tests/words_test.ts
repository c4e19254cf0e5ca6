/** Plain English: the words of sources and documents that make a reader read twice, and what to write instead. */
import { assertEquals } from "@std/assert";
import { nameOf, sourcePaths } from "./support/sources.ts";

const ROOT = new URL("../", import.meta.url);

/** Documents and the page's files, beside the sources of the program. */
const OTHERS = ["README.md", "lib/PROTOCOL.md", "static/install.sh"];

const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/\bfor ever\b/i, "say until when, or 'keeps trying'"],
  [/\bletters of\b|\bletter a\b/i, "'characters'"],
  [/\b(?:line|byte|number|entry) a (?:member|node|round|second|change|flag|file)\b/i, "'per'"],
  [/\b(?:is|are) none\b/i, "'is invalid', 'is missing', or what happens then"],
  [/\bis of (?:another |the )?cluster\b/i, "'belongs to'"],
  [/\bthat there are to be\b/i, "leave it out"],
  [/\bpassed over\b|\bpasses? over\b/i, "'skipped'"],
  [/\bhas met none\b/i, "'has reached none'"],
  [/\bsays why its\b/i, "'if it is invalid'"],
  [/\bfor want of\b|\bwants for\b/i, "'for lack of'"],
];

/** What to write instead of what, with the place; a file's own quotes of hostile text do not occur. */
function oddWords(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, i) =>
    INSTEAD.flatMap(([odd, instead]) => {
      const found = odd.exec(line);
      return found === null ? [] : [`${file}:${i + 1} says "${found[0]}": write ${instead}`];
    })
  );
}

Deno.test("sources and documents are in plain English", async () => {
  const documents = OTHERS.map((file) => new URL(file, ROOT));
  for (const folder of [".github/", "static/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (/\.(?:md|js)$/.test(name)) documents.push(new URL(`${folder}${name}`, ROOT));
    }
  }
  const found: string[] = [];
  for (const path of [...await sourcePaths(), ...documents]) {
    found.push(...oddWords(nameOf(path), await Deno.readTextFile(path)));
  }
  assertEquals(found, []);
});

Deno.test("the check of the words finds an odd one and its place", () => {
  assertEquals(oddWords("a.ts", "fine\n// tries for ever"), [
    `a.ts:2 says "for ever": write say until when, or 'keeps trying'`,
  ]);
});
