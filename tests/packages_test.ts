/** The packages: each function that the program uses of @std is there and works, and versions are exact. */

import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertRejects,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { ifNoneMatch } from "@std/http/etag";
import { accepts } from "@std/http/negotiation";
import { dirname as posixDirname } from "../lib/std/path/posix_dirname.ts";
import { dirname as windowsDirname } from "../lib/std/path/windows_dirname.ts";
import { closestString } from "../lib/std/text/closest_string.ts";
import { levenshteinDistance } from "../lib/std/text/levenshtein_distance.ts";

Deno.test("@std/assert fails what is false", async () => {
  assertThrows(() => assert(false), AssertionError);
  assertThrows(
    () => assertEquals([1, { a: 2 }], [1, { a: 3 }]),
    AssertionError,
    "Values are not equal",
  );
  assertThrows(() => fail("said"), AssertionError, "said");
  await assertRejects(() => Promise.reject(new TypeError("shape")), TypeError, "shape");
});

Deno.test("@std/cli parseArgs() keeps texts and collects what is given twice", () => {
  const args = parseArgs(["--port=8080", "--port=1"], { string: ["port"], collect: ["port"] });
  assertEquals(args["port"], ["8080", "1"]);
});

Deno.test("@std/http ifNoneMatch() is false for a tag that the client has", () => {
  assertEquals(ifNoneMatch('"tag"', '"tag"'), false);
  assertEquals(ifNoneMatch('"other"', '"tag"'), true);
});

Deno.test("@std/http accepts() picks the offered type that the client likes best", () => {
  const request = new Request("http://n1", { headers: { accept: "text/plain, */*;q=0.1" } });
  assertEquals(accepts(request, "application/json", "text/plain"), "text/plain");
  assertEquals(
    accepts(new Request("http://n1", { headers: { accept: "a/b" } }), "text/plain"),
    undefined,
  );
});

Deno.test("@std/path dirname() follows the rules of each system", () => {
  assertEquals(posixDirname("/var/lib/node.state"), "/var/lib");
  assertEquals(posixDirname("node.state"), ".");
  assertEquals(windowsDirname("C:\\data\\node.state"), "C:\\data");
});

Deno.test("@std/text finds the closest word", () => {
  assertEquals(closestString("prot", ["id", "port"]), "port");
  assertEquals(levenshteinDistance("prot", "port"), 2);
});

Deno.test("the program names packages by exact versions, one of each: no lock file reaches every way in", async () => {
  const versions = new Map<string, Set<string>>();
  const folders = [new URL("../lib/", import.meta.url)];
  for (let folder; (folder = folders.pop()) !== undefined;) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) folders.push(new URL(`${name}/`, folder));
      if (!/\.(?:tsx?|js)$/.test(name)) continue;
      const source = await Deno.readTextFile(new URL(name, folder));
      for (const [, id = "", version = ""] of source.matchAll(/\bnpm:([\w-]+)@([^/"\s]+)/g)) {
        assertMatch(version, /^\d+\.\d+\.\d+$/, `${id} in ${name}`);
        versions.set(id, (versions.get(id) ?? new Set()).add(version));
      }
    }
  }
  assertEquals([...versions.keys()].sort(), ["deno-std", "dns-packet", "hono"]);
  for (const [id, { size }] of versions) assertEquals(size, 1, `versions of ${id}`);
});
